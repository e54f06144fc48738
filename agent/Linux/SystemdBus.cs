using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Telemetry.Agent.Linux;

/// <param name="IsBus">A message bus, on which one says hello first and names whom one asks; else systemd itself.</param>
internal sealed record SystemdSocket(string Path, bool IsBus)
{
    /// <summary>systemd's own, for root, where there need be no bus; and the system's bus, for everybody.</summary>
    public static IReadOnlyList<SystemdSocket> OfThisMachine { get; } =
        [.. Environment.IsPrivilegedProcess ? (SystemdSocket[])[new("/run/systemd/private", IsBus: false)] : [], new("/run/dbus/system_bus_socket", IsBus: true)];
}

/// <summary>What is needed of one unit; the bytes are valid during the call.</summary>
internal delegate void UnitFound(ReadOnlySpan<byte> name, ReadOnlySpan<byte> load, ReadOnlySpan<byte> active, ReadOnlySpan<byte> sub);

/// <summary>Asks systemd for its units: one call of <c>org.freedesktop.systemd1.Manager</c>, by hand, after the D-Bus specification.</summary>
internal static class SystemdBus
{
    private const int MaxBody = 16 << 20;
    private const int HeaderLength = 16;
    private const byte LittleEndian = (byte)'l', Version = 1;
    private const byte MethodCall = 1, MethodReturn = 2, Error = 3;

    // Header fields.
    private const byte PathField = 1, InterfaceField = 2, MemberField = 3, DestinationField = 6;

    private const int MaxLine = 512;
    private const int Patience = 4_000;  // milliseconds, for each answer

    /// <exception cref="IOException">It does not answer, or not as it should.</exception>
    public static void ListUnits(SystemdSocket at, UnitFound found)
    {
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { SendTimeout = Patience, ReceiveTimeout = Patience };
            socket.Connect(new UnixDomainSocketEndPoint(at.Path));
            Authenticate(socket);
            if (at.IsBus)
            {
                Send(socket, Call("/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", "org.freedesktop.DBus", serial: 1));
                Receive(socket, static _ => { });
            }

            Send(socket, Call("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "ListUnits", at.IsBus ? "org.freedesktop.systemd1" : null, serial: 2));
            Receive(socket, body => Units(body, found));
        }
        catch (Exception e) when (e is SocketException or ArgumentOutOfRangeException)
        {
            throw new IOException($"{at.Path} does not answer as systemd does: {e.Message}", e);
        }
    }

    /// <summary>As whom the kernel says this process runs.</summary>
    private static void Authenticate(Socket socket)
    {
        var user = Convert.ToHexString(Encoding.ASCII.GetBytes(LibC.EffectiveUser().ToString(CultureInfo.InvariantCulture)));
        Send(socket, Encoding.ASCII.GetBytes($"\0AUTH EXTERNAL {user}\r\n"));
        Span<byte> line = stackalloc byte[MaxLine];
        for (var length = 0; length < MaxLine; length++)
        {
            ReceiveAll(socket, line.Slice(length, 1));
            if (line[length] != (byte)'\n')
                continue;
            if (!line.StartsWith("OK "u8))
                throw new IOException("systemd does not let this process ask: " + Encoding.ASCII.GetString(line[..length]).TrimEnd());
            Send(socket, "BEGIN\r\n"u8);
            return;
        }

        throw new IOException("what answers is no D-Bus.");
    }

    private static byte[] Call(string path, string @interface, string member, string? destination, uint serial)
    {
        var message = new List<byte> { LittleEndian, MethodCall, 0, Version };
        Number(message, 0);  // No body.
        Number(message, serial);
        Number(message, 0);  // The length of the fields, known at the end.
        Field(message, PathField, (byte)'o', path);
        Field(message, InterfaceField, (byte)'s', @interface);
        Field(message, MemberField, (byte)'s', member);
        if (destination is not null)
            Field(message, DestinationField, (byte)'s', destination);
        var bytes = message.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(HeaderLength - 4), bytes.Length - HeaderLength);
        Array.Resize(ref bytes, Aligned(bytes.Length, 8));
        return bytes;
    }

    private static void Field(List<byte> message, byte field, byte type, string value)
    {
        Align(message, 8);
        message.AddRange([field, 1, type, 0]);
        Number(message, (uint)value.Length);
        message.AddRange(Encoding.ASCII.GetBytes(value));
        message.Add(0);
    }

    private static void Number(List<byte> message, uint number)
    {
        Align(message, 4);
        message.AddRange(BitConverter.GetBytes(number));
    }

    private static void Align(List<byte> message, int size)
    {
        while (message.Count % size != 0)
            message.Add(0);
    }

    private static int Aligned(int length, int size) => (length + size - 1) / size * size;

    /// <summary>The answer, whatever else the bus tells before it.</summary>
    private static void Receive(Socket socket, Action<ReadOnlySpan<byte>> answer)
    {
        Span<byte> header = stackalloc byte[HeaderLength];
        while (true)
        {
            ReceiveAll(socket, header);
            var body = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
            var fields = BinaryPrimitives.ReadUInt32LittleEndian(header[12..]);
            if (header[0] != LittleEndian || header[3] != Version || body > MaxBody || fields > MaxBody)
                throw new IOException("systemd's answer is none.");

            var start = Aligned((int)fields, 8);
            var length = start + (int)body;
            var buffer = ArrayPool<byte>.Shared.Rent(length);
            try
            {
                ReceiveAll(socket, buffer.AsSpan(0, length));
                if (header[1] == Error)
                    throw new IOException("systemd refuses to tell its units.");
                if (header[1] != MethodReturn)
                    continue;
                answer(buffer.AsSpan(start, (int)body));
                return;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }

    /// <summary>An array of <c>(ssssssouso)</c>: name, description, load, active and sub state, followed unit, path, job, its type and path.</summary>
    private static void Units(ReadOnlySpan<byte> body, UnitFound found)
    {
        var at = 0;
        var end = Number(body, ref at);
        at = Aligned(at, 8);
        end += at;
        while (at < end)
        {
            at = Aligned(at, 8);
            var name = Text(body, ref at);
            Text(body, ref at);
            var load = Text(body, ref at);
            var active = Text(body, ref at);
            var sub = Text(body, ref at);
            Text(body, ref at);
            Text(body, ref at);
            Number(body, ref at);
            Text(body, ref at);
            Text(body, ref at);
            found(name, load, active, sub);
        }
    }

    private static int Number(ReadOnlySpan<byte> body, ref int at)
    {
        at = Aligned(at, 4);
        var number = BinaryPrimitives.ReadInt32LittleEndian(body[at..]);
        at += 4;
        return number;
    }

    private static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> body, ref int at)
    {
        var length = Number(body, ref at);
        var text = body.Slice(at, length);
        at += length + 1;
        return text;
    }

    private static void Send(Socket socket, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[socket.Send(bytes)..];
    }

    private static void ReceiveAll(Socket socket, Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var received = socket.Receive(bytes);
            if (received == 0)
                throw new IOException("systemd ended the conversation.");
            bytes = bytes[received..];
        }
    }
}

using System.Net.Sockets;
using System.Text;
using Telemetry.Agent.Health;
using Telemetry.Agent.Linux;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Health;

/// <summary>Against an answer as the D-Bus specification has it, byte by byte.</summary>
public sealed class SystemdUnitsProbeTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Units_OfServices_HaveTelegrafsNumbers(bool isBus)
    {
        var serving = Serve(isBus, Units(("ssh.service", "loaded", "active", "running"), ("a.mount", "loaded", "active", "mounted"), ("x.service", "not-found", "inactive", "dead"), ("y.service", "loaded", "failed", "failed"), ("z.service", "loaded", "active", "dreaming")));

        var reading = Probe(isBus).Look();

        Assert.Equal(
            [
                "ssh.service loaded active running: load_code=0i active_code=0i sub_code=0i",
                "x.service not-found inactive dead: load_code=2i active_code=2i sub_code=1i",
                "y.service loaded failed failed: load_code=0i active_code=3i sub_code=12i",
            ],
            reading.Points.Select(point => $"{point.Tag("name")} {point.Tag("load")} {point.Tag("active")} {point.Tag("sub")}: {point.Text()}"));
        Assert.Equal(["z.service is in a state that has no number: loaded active dreaming"], reading.Reasons);
        Assert.All(reading.Points, point => Assert.Equal("systemd_units", point.Measurement));
        var asked = await serving;
        Assert.Contains("ListUnits", asked);
        Assert.Equal(isBus, asked.Contains("Hello", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Units_OfAnAnswerThatIsCut_Fail()
    {
        var serving = Serve(false, Units(("ssh.service", "loaded", "active", "running"))[..60]);

        Assert.Throws<IOException>(() => Probe(false).Look());
        await serving;
    }

    [Fact]
    public void Units_WithoutSystemd_HaveNoData()
    {
        Assert.Empty(Probe(false).Points());
    }

    private SystemdUnitsProbe Probe(bool isBus) => new([new SystemdSocket(_directory["none"], false), new SystemdSocket(_directory["bus"], isBus)]);

    /// <returns>What was asked.</returns>
    private Task<string> Serve(bool isBus, byte[] body)
    {
        var listening = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listening.Bind(new UnixDomainSocketEndPoint(_directory["bus"]));
        listening.Listen(1);
        return Task.Run(
            () =>
            {
                using (listening)
                using (var client = listening.Accept())
                {
                    var asked = "";
                    Until("\r\n");
                    client.Send("OK 0123456789abcdef\r\n"u8);
                    Until("BEGIN\r\n");
                    if (isBus)
                    {
                        Until("Hello");
                        client.Send(Message(type: 2, [5, 0, 0, 0, .. ":1.42\0"u8]));
                        client.Send(Message(type: 4, [0, 0, 0, 0]));  // NameAcquired
                    }

                    Until("ListUnits");
                    client.Send(Message(type: 2, body));
                    client.Shutdown(SocketShutdown.Send);
                    client.Receive(new byte[1000]);
                    return asked;

                    void Until(string end)
                    {
                        var piece = new byte[1000];
                        while (!asked.Contains(end, StringComparison.Ordinal))
                        {
                            var received = client.Receive(piece);
                            asked += received > 0 ? Encoding.Latin1.GetString(piece, 0, received) : throw new InvalidOperationException("it went away");
                        }
                    }
                }
            },
            TestContext.Current.CancellationToken);
    }

    /// <summary>Fields: the serial that is answered.</summary>
    private static byte[] Message(byte type, byte[] body)
    {
        byte[] fields = [5, 1, (byte)'u', 0, 1, 0, 0, 0];
        return [(byte)'l', type, 1, 1, .. BitConverter.GetBytes(body.Length), 7, 0, 0, 0, .. BitConverter.GetBytes(fields.Length), .. fields, .. body];
    }

    private static byte[] Units(params (string Name, string Load, string Active, string Sub)[] units)
    {
        var bytes = new List<byte> { 0, 0, 0, 0, 0, 0, 0, 0 };
        foreach (var (name, load, active, sub) in units)
        {
            Align(8);
            foreach (var text in (string[])[name, "Something, described", load, active, sub, "", "/org/freedesktop/systemd1/unit/x"])
                Text(text);
            Align(4);
            bytes.AddRange(BitConverter.GetBytes(0u));
            Text("");
            Text("/");
        }

        BitConverter.TryWriteBytes(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes), bytes.Count - 8);
        return [.. bytes];

        void Text(string text)
        {
            Align(4);
            bytes.AddRange(BitConverter.GetBytes(text.Length));
            bytes.AddRange(Encoding.ASCII.GetBytes(text));
            bytes.Add(0);
        }

        void Align(int size)
        {
            while (bytes.Count % size != 0)
                bytes.Add(0);
        }
    }
}

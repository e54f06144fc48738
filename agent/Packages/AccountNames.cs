using System.Buffers.Text;
using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>Names and numbers of users or groups below a root, from its own <c>passwd</c> or <c>group</c> file (passwd(5), group(5)).</summary>
internal sealed class AccountNames
{
    private readonly Dictionary<ByteText, uint> _numbers = [];
    private readonly Dictionary<uint, ByteText> _names = [];

    private AccountNames() => Add("root"u8, 0);

    /// <summary>The same; root alone where the root can't be opened.</summary>
    public static AccountNames Read(string root, string file)
    {
        if (RootedTree.Open(root, out var tree) != 0)
            return new AccountNames();
        using (tree)
            return Read(tree!, file);
    }

    /// <param name="file">Such as <c>passwd</c>, in <c>/etc</c>. One that can't be read knows root alone, as rpm does.</param>
    public static AccountNames Read(RootedTree tree, string file)
    {
        var accounts = new AccountNames();
        if (tree.File(EntryKey.Of("etc", file).Bytes, out var handle, out _) != 0)
            return accounts;

        using var stream = new FileStream(handle!, FileAccess.Read, bufferSize: 0);
        var lines = new LineReader(stream);
        while (lines.Next(out var line))
        {
            // name:password:number:…
            var name = line[..Math.Max(line.IndexOf((byte)':'), 0)];
            var rest = line[Math.Min(name.Length + 1, line.Length)..];
            rest = rest[(rest.IndexOf((byte)':') + 1)..];
            if (Utf8Parser.TryParse(rest, out uint number, out var length) && (length == rest.Length || rest[length] == (byte)':'))
                accounts.Add(name, number);
        }

        return accounts;
    }

    /// <summary>Either by name or by number, as rpm compares: two names may share a number.</summary>
    public bool IsSame(ByteText name, uint number) =>
        (_numbers.TryGetValue(name, out var known) && known == number) || (_names.TryGetValue(number, out var text) && text == name);

    /// <summary>The name, or else the number.</summary>
    public ByteText Of(uint number) => Name(number) ?? ByteText.Of(number.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <returns>Null when it has none.</returns>
    public ByteText? Name(uint number) => _names.TryGetValue(number, out var name) ? name : null;

    private void Add(ReadOnlySpan<byte> name, uint number)
    {
        _numbers.TryAdd(new ByteText(name), number);
        _names.TryAdd(number, new ByteText(name));
    }
}

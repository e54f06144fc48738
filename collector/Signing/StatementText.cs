using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Signing;

/// <summary>What a statement says, read by whoever is asked to sign it: nobody signs bytes that he can't read. Pure.</summary>
/// <param name="Roots">Of a baseline, or of what a layer leaves.</param>
/// <param name="Content">All else that it says, for people.</param>
internal sealed record StatementText(string Kind, string Name, string Version, string Owner, Roots Roots, IReadOnlyList<(string Name, string Value)> Content)
{
    /// <exception cref="SignatureException">It is no statement about a layer or a baseline, or has more in it than this program knows.</exception>
    public static StatementText Parse(ReadOnlyMemory<byte> statement)
    {
        var reader = new Reader(statement);
        var text = reader.Text() switch
        {
            "telemetry layer 1" => Layer(reader),
            "telemetry baseline 1" => Baseline(reader),
            _ => throw Unreadable(),
        };
        return reader.AtEnd ? text : throw Unreadable();
    }

    /// <param name="kind"><c>layer</c> or <c>baseline</c>.</param>
    /// <param name="asked">NAME:VERSION that is to be signed.</param>
    /// <param name="expected">Roots that it must have: a digest of the files' tree, or KIND=DIGEST.</param>
    /// <exception cref="SignatureException">It says something else than what was asked for.</exception>
    public void Check(string kind, string asked, IEnumerable<string> expected)
    {
        if (Kind != kind || $"{Name}:{Version}" != asked)
            throw new SignatureException($"The collector gave the statement of the {Kind} {Name}:{Version} to be signed, and not that of the {kind} {asked}: nothing is signed. Whoever answers is not to be trusted.");

        foreach (var root in expected)
        {
            var sign = root.IndexOf('=', StringComparison.Ordinal);
            var (word, digest) = sign < 0 ? (EntryKind.File.Name(), root) : (root[..sign], root[(sign + 1)..]);
            if (EntryKinds.All.Where(one => one.Name() == word).ToList() is not [var of] || digest.Length != 2 * Digest.Size || !digest.All(char.IsAsciiHexDigit))
                throw new SignatureException($"'{root}' is no root: write 64 hexadecimal digits, or KIND=DIGEST with one of {string.Join(", ", EntryKinds.All.Select(one => one.Name()))}.");
            if (Roots[of] != Digest.Parse(digest))
                throw new SignatureException($"The {word} root of {asked} is {Roots[of]} at the collector, and not {digest}: nothing is signed.");
        }
    }

    /// <summary>All that it says, for people.</summary>
    public IEnumerable<(string Name, string Value)> Lines() =>
        [(Kind, $"{Name}:{Version}"), ("owner", Owner), .. Lines("root", Roots), .. Content.Where(line => line.Value.Length > 0)];

    private static StatementText Layer(Reader reader)
    {
        var (name, version, owner) = (reader.Text(), reader.Text(), reader.Text());
        var (before, after) = (reader.Roots(), reader.Roots());
        var (claims, created) = (reader.Text(), reader.Time());
        return new StatementText("layer", name, version, owner, after,
        [
            .. Lines("changes", before),
            ("claims", claims.TrimEnd()),
            ("created", created),
        ]);
    }

    private static StatementText Baseline(Reader reader)
    {
        var (name, version, owner, roots) = (reader.Text(), reader.Text(), reader.Text(), reader.Roots());
        var scope = reader.Digest();
        _ = reader.Bytes();
        var (observed, created) = (reader.Time(), reader.Time());
        var content = new List<(string, string)> { ("scope", scope.ToString()), ("observed", observed), ("created", created) };
        if (reader.Text() is { Length: > 0 } composed)
            content.Add(("made of", composed == "composed" ? $"base {reader.Digest()}" : throw Unreadable()));
        for (var left = reader.Number(); left > 0; left--)
            content.Add(("layer", reader.Digest().ToString()));
        for (var left = reader.Number(); left > 0; left--)
            content.Add(("settled", $"{reader.Text()} as {reader.Text()} has it"));
        return new StatementText("baseline", name, version, owner, roots, content);
    }

    /// <summary>Roots, a line each.</summary>
    private static IEnumerable<(string Name, string Value)> Lines(string what, Roots roots) =>
        EntryKinds.All.Select(kind => ($"{what} {kind.Name()}", roots[kind].ToString()));

    private static SignatureException Unreadable() =>
        new("The collector's statement is not one that this program can read, and so nothing is signed; use the collector's own version of telemetryctl.");

    private sealed class Reader(ReadOnlyMemory<byte> rest)
    {
        private ReadOnlyMemory<byte> _rest = rest;

        public bool AtEnd => _rest.IsEmpty;

        public ReadOnlyMemory<byte> Bytes()
        {
            if (_rest.Length < sizeof(int) || BinaryPrimitives.ReadInt32BigEndian(_rest.Span) is not (>= 0 and var length) || length > _rest.Length - sizeof(int))
                throw Unreadable();
            var field = _rest.Slice(sizeof(int), length);
            _rest = _rest[(sizeof(int) + length)..];
            return field;
        }

        public string Text() => Encoding.UTF8.GetString(Bytes().Span);

        public Digest Digest() => Bytes() is { Length: Protocol.Model.Digest.Size } bytes ? new Digest(bytes.Span) : throw Unreadable();

        public Roots Roots() => new(Digest(), Digest(), Digest(), Digest());

        public long Number() => Bytes() is { Length: sizeof(long) } bytes ? BinaryPrimitives.ReadInt64BigEndian(bytes.Span) : throw Unreadable();

        public string Time()
        {
            var time = Number();
            return time >= DateTimeOffset.MinValue.ToUnixTimeMilliseconds() && time <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
                ? DateTimeOffset.FromUnixTimeMilliseconds(time).ToString("yyyy-MM-dd HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)
                : throw Unreadable();
        }
    }
}

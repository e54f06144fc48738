using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>One package in dpkg's status file.</summary>
internal sealed record DpkgPackage(ByteText Name, ByteText Architecture, ByteText Version, ByteText Status)
{
    public EntryKey Key => EntryKey.Of("dpkg").Child(Name.Bytes).Child(Architecture.Bytes);

    public Fingerprint Fingerprint => new() { Version = Version, Status = Status };
}

/// <summary>What dpkg's status file holds, and the first thing that is wrong with it.</summary>
/// <param name="Mistake">For people, with the line; null when the file is right.</param>
internal sealed record DpkgStatus(IReadOnlyList<DpkgPackage> Packages, string? Mistake)
{
    // Descriptions and conffile lists grow long; what we need is short.
    private const int MaxFieldLength = 255;

    /// <summary>Parses the file: stanzas of <c>Field: value</c> lines, divided by empty lines (deb-control(5), dpkg-query(1)).</summary>
    /// <remarks>Never throws on what the file says. A stanza with a mistake is left out, the others are kept.</remarks>
    public static DpkgStatus Parse(Stream stream)
    {
        var parser = new Parser();
        var lines = new LineReader(stream);
        while (lines.Next(out var line))
            parser.Line(line, lines.Number);
        parser.End(lines.Number, lines.EndsWithNewline);
        return new DpkgStatus(parser.Packages, parser.Mistake);
    }

    private sealed class Parser
    {
        private readonly Dictionary<EntryKey, DpkgPackage> _packages = [];
        private ByteText? _name, _architecture, _version, _status;
        private int _firstLine;
        private bool _isBroken;

        public string? Mistake { get; private set; }

        public IReadOnlyList<DpkgPackage> Packages => [.. _packages.Values.OrderBy(package => package.Key)];

        public void Line(ReadOnlySpan<byte> line, int number)
        {
            if (line.IsEmpty)
            {
                EndStanza();
                return;
            }

            if (_firstLine == 0)
                _firstLine = number;
            if (line[0] is (byte)' ' or (byte)'\t')
                return;

            var colon = line.IndexOf((byte)':');
            if (colon <= 0 || !IsFieldName(line[..colon]))
            {
                Break($"line {number} is not a field");
                return;
            }

            Field(line[..colon], line[(colon + 1)..].Trim(" \t"u8), number);
        }

        public void End(int lastLine, bool endsWithNewline)
        {
            if (_firstLine != 0 && !endsWithNewline)
                Break($"the file ends in the middle of line {lastLine}");
            EndStanza();
        }

        private void Field(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int number)
        {
            if (name.SequenceEqual("Package"u8))
                Take(ref _name, value, number);
            else if (name.SequenceEqual("Architecture"u8))
                Take(ref _architecture, value, number);
            else if (name.SequenceEqual("Version"u8))
                Take(ref _version, value, number);
            else if (name.SequenceEqual("Status"u8))
                Take(ref _status, value, number);
        }

        private void Take(ref ByteText? field, ReadOnlySpan<byte> value, int number)
        {
            if (field is not null)
                Break($"line {number} repeats a field");
            else if (value.IsEmpty || value.Length > MaxFieldLength || value.ContainsAnyInRange((byte)0, (byte)0x1f))
                Break($"line {number} has an unusable value");
            else
                field = new ByteText(value);
        }

        private void EndStanza()
        {
            if (_firstLine != 0 && !_isBroken)
                Keep();
            _name = _architecture = _version = _status = null;
            _firstLine = 0;
            _isBroken = false;
        }

        private void Keep()
        {
            if (_name is not { } name || _status is not { } status)
            {
                Break($"the stanza at line {_firstLine} lacks Package or Status");
                return;
            }

            // dpkg keeps stanzas of packages it only knows by name, e.g. as wanted: there is nothing installed, nor left over.
            if (status.Bytes.EndsWith(" not-installed"u8))
                return;

            if (_version is not { } version || _architecture is not { } architecture)
            {
                Break($"the stanza at line {_firstLine} lacks Version or Architecture");
                return;
            }

            var package = new DpkgPackage(name, architecture, version, status);
            if (!_packages.TryAdd(package.Key, package))
                Break($"the stanza at line {_firstLine} repeats a package");
        }

        private void Break(string mistake)
        {
            _isBroken = true;
            Mistake ??= mistake;
        }

        private static bool IsFieldName(ReadOnlySpan<byte> name) => !name.ContainsAnyExceptInRange((byte)'!', (byte)'~');
    }
}

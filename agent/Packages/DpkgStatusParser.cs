using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>Reads stanzas of packages, and keeps the last one of each.</summary>
internal sealed class DpkgStatusParser
{
    // A key has room for these; dpkg's own words for a status are 41 bytes long at most.
    private const int MaxNameLength = 255, MaxStatusLength = 64, MaxVersionLength = 4096;

    // More than any archive has, and what fits into the memory of an agent.
    private const int MaxPackages = 100_000, MaxConffiles = 100_000;

    private readonly Dictionary<EntryKey, DpkgPackage> _packages = [];

    // By name, those of which one architecture may be installed at a time.
    private readonly Dictionary<ByteText, HashSet<EntryKey>> _exclusive = [];
    private readonly List<DpkgConffile> _conffiles = [];
    private int _allConffiles;
    private ByteText? _name, _architecture, _version, _status, _multiArch;
    private string _place = "";
    private int _firstLine;
    private bool _isUpdate, _isBroken, _inConffiles;

    public string? Mistake { get; private set; }

    public IReadOnlyList<DpkgPackage> Packages => [.. _packages.Values.OrderBy(package => package.Key)];

    /// <param name="place">What a mistake's place begins with.</param>
    /// <param name="isUpdate">Its stanzas override earlier ones rather than repeat them.</param>
    public void Read(Stream stream, string place, bool isUpdate)
    {
        _place = place;
        _isUpdate = isUpdate;
        var lines = new LineReader(stream);
        while (lines.Next(out var line))
            Line(line, lines.Number);

        if (_firstLine != 0 && !lines.EndsWithNewline)
            Break($"the file ends in the middle of line {lines.Number}");
        EndStanza();
    }

    private void Line(ReadOnlySpan<byte> line, int number)
    {
        if (line.IsEmpty)
        {
            EndStanza();
            return;
        }

        if (_firstLine == 0)
            _firstLine = number;
        if (line[0] is (byte)' ' or (byte)'\t')
        {
            if (_inConffiles && DpkgConffile.Parse(line) is { } conffile)
                Take(conffile);
            return;
        }

        var colon = line.IndexOf((byte)':');
        if (colon <= 0 || !IsFieldName(line[..colon]))
        {
            Break($"line {number} is not a field");
            return;
        }

        Field(line[..colon], line[(colon + 1)..].Trim(" \t"u8), number);
    }

    private void Field(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int number)
    {
        _inConffiles = name.SequenceEqual("Conffiles"u8);
        if (name.SequenceEqual("Package"u8))
            Take(ref _name, value, number, MaxNameLength);
        else if (name.SequenceEqual("Architecture"u8))
            Take(ref _architecture, value, number, MaxNameLength);
        else if (name.SequenceEqual("Version"u8))
            Take(ref _version, value, number, MaxVersionLength);
        else if (name.SequenceEqual("Status"u8))
            Take(ref _status, value, number, MaxStatusLength);
        else if (name.SequenceEqual("Multi-Arch"u8))
            Take(ref _multiArch, value, number, MaxNameLength);
    }

    private void Take(ref ByteText? field, ReadOnlySpan<byte> value, int number, int limit)
    {
        if (field is not null)
            Break($"line {number} repeats a field");
        else if (value.IsEmpty || value.Length > limit || value.ContainsAnyInRange((byte)0, (byte)0x1f))
            Break($"line {number} has an unusable value");
        else
            field = new ByteText(value);
    }

    private void Take(DpkgConffile conffile)
    {
        if (_allConffiles + _conffiles.Count < MaxConffiles)
            _conffiles.Add(conffile);
        else
            Break($"it has more than {MaxConffiles} conffiles");
    }

    private void EndStanza()
    {
        if (_firstLine != 0 && !_isBroken)
            Keep();
        _name = _architecture = _version = _status = _multiArch = null;
        _conffiles.Clear();
        _firstLine = 0;
        _isBroken = _inConffiles = false;
    }

    private void Keep()
    {
        if (_name is not { } name || _status is not { } status)
        {
            Break($"the stanza at line {_firstLine} lacks Package or Status");
            return;
        }

        var isSame = _multiArch is { } multiArch && multiArch.Bytes.SequenceEqual("same"u8);
        if (_isUpdate)
            Forget(name, isSame);

        // dpkg keeps stanzas of packages it only knows by name, e.g. as wanted: there is nothing installed, nor left over.
        if (status.Bytes.EndsWith(" not-installed"u8))
            return;

        // A first installation that broke off may have left nothing that has a version yet.
        if (_architecture is not { } architecture || (_version is null && !status.Bytes.EndsWith(" half-installed"u8)))
        {
            Break($"the stanza at line {_firstLine} lacks Version or Architecture");
            return;
        }

        var package = new DpkgPackage(name, architecture, _version, status) { IsMultiArchSame = isSame, Conffiles = [.. _conffiles] };
        if (_packages.Count == MaxPackages)
            Break($"it has more than {MaxPackages} packages");
        else if (!_packages.TryAdd(package.Key, package))
            Break($"the stanza at line {_firstLine} repeats a package");
        else
            Remember(package);
    }

    /// <summary>An update stands for the package of its name and architecture, or for the only one of its name that may be installed.</summary>
    private void Forget(ByteText name, bool isSame)
    {
        var exclusive = _exclusive.GetValueOrDefault(name);
        if (_architecture is { } architecture)
        {
            var key = DpkgPackage.KeyOf(name, architecture);
            _packages.Remove(key);
            exclusive?.Remove(key);
        }

        if (isSame || exclusive is null)
            return;
        foreach (var key in exclusive)
            _packages.Remove(key);
        exclusive.Clear();
    }

    private void Remember(DpkgPackage package)
    {
        _allConffiles += package.Conffiles.Count;
        if (package.IsMultiArchSame)
            return;
        if (!_exclusive.TryGetValue(package.Name, out var keys))
            _exclusive[package.Name] = keys = [];
        keys.Add(package.Key);
    }

    private void Break(string mistake)
    {
        _isBroken = true;
        Mistake ??= _place + mistake;
    }

    private static bool IsFieldName(ReadOnlySpan<byte> name) => !name.ContainsAnyExceptInRange((byte)'!', (byte)'~');
}

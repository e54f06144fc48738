using Telemetry.Agent.Linux;
using Telemetry.Protocol.Configuration;
using Telemetry.Protocol.Layers;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Checks;

/// <summary>The checks that the layers on this machine ship: <c>[[checks]]</c> in the files of a directory.</summary>
/// <param name="Mistakes">For people: a file that has some gives no checks, and takes none from the others.</param>
internal sealed record LayerChecks(IReadOnlyList<DeclaredCheck> Checks, IReadOnlyList<string> Mistakes)
{
    /// <summary>The collector keeps track of no more of one instance.</summary>
    public const int MaxChecks = 500;

    /// <summary>Few run at once: one that hangs for longer would take too many turns of others.</summary>
    public static readonly TimeSpan LongestTimeout = TimeSpan.FromSeconds(60);

    private const ulong MaxFileLength = 1 << 20;
    private const uint WritableByOthers = 0x12;  // 022

    public static LayerChecks Read(string directory)
    {
        var checks = new Dictionary<string, DeclaredCheck>(StringComparer.Ordinal);
        var mistakes = new List<string>();
        if (!Directory.Exists(directory))
            return new LayerChecks([], []);

        try
        {
            if (Distrust(directory, isDirectory: true) is { } why)
                return new LayerChecks([], [why]);
            foreach (var file in Directory.GetFiles(directory, "*.toml").Order(StringComparer.Ordinal))
                ReadFile(file, checks, mistakes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            mistakes.Add($"{directory} can't be read: {e.Message}");
        }

        return new LayerChecks([.. checks.Values], mistakes);
    }

    private static void ReadFile(string file, Dictionary<string, DeclaredCheck> checks, List<string> mistakes)
    {
        if (Distrust(file, isDirectory: false) is { } why)
        {
            mistakes.Add(why);
            return;
        }

        LayerFile layer;
        try
        {
            layer = LayerFile.Parse(File.ReadAllText(file), file);
        }
        catch (ConfigurationException e)
        {
            mistakes.Add(e.Message);
            return;
        }

        var name = layer.Name ?? Path.GetFileNameWithoutExtension(file);
        if (!LayerFile.IsName(name))
        {
            mistakes.Add($"{file}: a layer that says no name has that of its file, and '{name}' is none; set name in it, or rename it.");
            return;
        }

        foreach (var check in layer.Checks)
        {
            var declared = new DeclaredCheck(name, layer.Owner, check);
            if (checks.Count == MaxChecks)
                mistakes.Add($"{file}: check {declared.Id} is one too many: {MaxChecks} is the limit.");
            else if (check.Timeout > LongestTimeout)
                mistakes.Add($"{file}: check {declared.Id} may take {check.Timeout.TotalSeconds:0}s; {LongestTimeout.TotalSeconds:0}s is the most. Set its timeout; what takes longer is for a timer, and a check that reads what it found.");
            else if (!checks.TryAdd(declared.Id, declared))
                mistakes.Add($"{file}: there is a check {declared.Id} in another file already.");
        }
    }

    /// <summary>These files say what is run here: nobody else may write them.</summary>
    private static string? Distrust(string path, bool isDirectory)
    {
        if (OpenFile.StatusOf(path) is not { } status || (!isDirectory && status.Type != FileType.File))
            return isDirectory ? null : $"{path} is no regular file: a link may lead to what others write.";
        if (!isDirectory && status.Size > MaxFileLength)
            return $"{path} is longer than {MaxFileLength >> 20} MiB.";
        return (status.Uid != 0 && status.Uid != LibC.EffectiveUser()) || (status.Mode & WritableByOthers) != 0
            ? $"{path} can be written to by others than root and this agent, and says what is run here. Change its owner and mode: chown root, chmod go-w."
            : null;
    }
}

using System.Collections.Immutable;
using Telemetry.Protocol.Configuration;

namespace Telemetry.Protocol.Layers;

/// <summary>A health check that a vendor ships with its layer: a program that keeps the contract of Nagios plug-ins.</summary>
/// <param name="Name">Unique in the layer.</param>
/// <param name="Command">The program, by its absolute path, and its arguments. No shell reads it.</param>
/// <param name="Interval">From one start to the next.</param>
/// <param name="Timeout">How long it may take; not longer than the interval.</param>
/// <param name="DefinesService">Whether the service is down while it is critical.</param>
public sealed record LayerCheck(string Name, ImmutableArray<string> Command, TimeSpan Interval, TimeSpan Timeout, bool DefinesService = false)
{
    public static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(60);
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(10);

    private const int MaxChecks = 100;
    private const int MaxWords = 100;

    private static readonly TimeSpan Least = TimeSpan.FromSeconds(1);

    /// <summary>The <c>[[checks]]</c> of a file. Mistakes are left with the settings.</summary>
    internal static ImmutableArray<LayerCheck> All(SettingsSection settings)
    {
        var sections = settings.Elements("checks");
        if (sections.Count > MaxChecks)
            settings.Fail("checks", $"are {sections.Count}; {MaxChecks} is the limit.");

        var checks = ImmutableArray.CreateBuilder<LayerCheck>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var section in sections)
        {
            var check = Of(section);
            if (check.Name.Length > 0 && !names.Add(check.Name))
                section.Fail("name", $"is '{check.Name}', as another check's is.");
            checks.Add(check);
        }

        return checks.ToImmutable();
    }

    private static LayerCheck Of(SettingsSection settings)
    {
        var name = LayerFile.Word(settings, "name", "._-");
        if (settings.TextOrNull("name") is null)
            settings.Fail("name", "must be given, such as \"http\".");

        var command = settings.Texts("command");
        if (command.Count == 0)
            settings.Fail("command", "must be given, such as [\"/usr/lib/nagios/plugins/check_http\", \"-H\", \"localhost\"].");
        else if (!command[0].StartsWith('/') || command[0].EndsWith('/'))
            settings.Fail("command", "must begin with the absolute path of a program.");
        if (command.Count > MaxWords || command.Any(word => word.Contains('\0')))
            settings.Fail("command", $"may have {MaxWords} words at most, and no zero byte in any.");

        var interval = settings.Duration("interval", DefaultInterval, Least);
        var timeout = settings.Duration("timeout", DefaultTimeout, Least);
        if (timeout > interval)
            settings.Fail("timeout", $"is {timeout.TotalSeconds:0}s, which is longer than the interval of {interval.TotalSeconds:0}s.");
        return new LayerCheck(name ?? "", [.. command], interval, timeout, settings.Flag("defines_service", false));
    }
}

using Google.Protobuf;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Protocol.Mapping;

/// <summary>Policies between messages and model. What a message may get wrong ends in <see cref="BadMessageException"/>.</summary>
public static class PolicyMapping
{
    private const int MaxParts = 10_000;

    public static V1.Policy ToMessage(this Policy policy)
    {
        var message = new V1.Policy { Name = policy.Name, OneFilesystem = policy.OneFilesystem };
        message.Include.AddRange(policy.Include.Select(key => ByteString.CopyFrom(key.Bytes)));
        message.Exclude.AddRange(policy.Exclude.Select(key => ByteString.CopyFrom(key.Bytes)));
        message.Sysctls.AddRange(policy.Sysctls.Select(pattern => pattern.Text));
        message.Critical.AddRange(policy.Critical.Select(pattern => pattern.Text));
        foreach (var settings in policy.Settings)
        {
            var files = new V1.SettingsFiles { Format = settings.Format };
            files.Match.AddRange(settings.Match.Select(pattern => pattern.Text));
            message.Settings.Add(files);
        }

        foreach (var rule in policy.Rules)
        {
            var told = new V1.PolicyRule { Treat = rule.Treatment.Name(), Severity = rule.Severity?.ToString().ToLowerInvariant() ?? "" };
            told.Match.AddRange(rule.Match.Select(pattern => pattern.Text));
            message.Rules.Add(told);
        }

        return message;
    }

    public static Policy ToModel(this V1.Policy message)
    {
        var parts = message.Include.Count + message.Exclude.Count + message.Sysctls.Count + message.Critical.Count
            + message.Settings.Sum(settings => settings.Match.Count) + message.Rules.Sum(rule => rule.Match.Count);
        if (parts > MaxParts)
            throw new BadMessageException($"a policy of {parts} paths and patterns, {MaxParts} is the limit");

        return new Policy
        {
            Name = message.Name,
            Include = [.. message.Include.Select(ManifestMapping.ToKey)],
            Exclude = [.. message.Exclude.Select(ManifestMapping.ToKey)],
            OneFilesystem = message.OneFilesystem,
            Settings = [.. message.Settings.Select(settings => new SettingsFiles([.. settings.Match.Select(ManifestMapping.ToPattern)], settings.Format))],
            Sysctls = [.. message.Sysctls.Select(ManifestMapping.ToSysctl)],
            Critical = [.. message.Critical.Select(ManifestMapping.ToPattern)],
            Rules = [.. message.Rules.Select(ToModel)],
        };
    }

    private static PolicyRule ToModel(V1.PolicyRule rule) => new(
        [.. rule.Match.Select(ManifestMapping.ToPattern)],
        Treatments.Parse(rule.Treat) ?? Treatment.Full,
        Enum.TryParse<Severity>(rule.Severity, ignoreCase: true, out var severity) ? severity : null);
}

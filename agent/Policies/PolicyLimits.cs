using Telemetry.Protocol.Configuration;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Agent.Policies;

/// <summary>What this machine lets a collector's policy ask for, whatever the policy says: <c>[policy]</c> and <c>[settings]</c>.</summary>
internal sealed record PolicyLimits
{
    private readonly Policy _own = new() { Name = "own" };

    /// <summary>For a policy that somebody on this machine chose.</summary>
    public static PolicyLimits None { get; } = new();

    /// <summary>Files that may be parsed, in any format; null: all.</summary>
    public IReadOnlyList<KeyPattern>? Parsable { get; init; }

    /// <summary>Files are parsed in no other format than the shipped policy's.</summary>
    public bool OnlyAsShipped { get; init; }

    /// <summary>Files that are secrets.</summary>
    public IReadOnlyList<KeyPattern> Secret
    {
        init => _own = new Policy { Name = "own", Rules = [new PolicyRule([.. value], Treatment.Secret, null)] };
    }

    /// <summary>Filesystems mounted below an included path are entered only when this machine's own configuration names one.</summary>
    public bool OneFilesystem { get; init; }

    /// <summary>Kernel parameters that may be read; null: all.</summary>
    public IReadOnlyList<SysctlPattern>? Sysctls { get; init; }

    public static PolicyLimits Read(SettingsSection policy, SettingsSection settings)
    {
        var allowed = settings.TextsOrNull("allow") is { } allow ? Files(settings, "allow", allow) : null;
        var secret = policy.TextsOrNull("secret") is { } secrets
            ? Files(policy, "secret", secrets)
            : [.. ShippedPolicies.Default.Rules.Where(rule => rule.Treatment == Treatment.Secret).SelectMany(rule => rule.Match)];
        return new PolicyLimits
        {
            Parsable = allowed,
            OnlyAsShipped = allowed is null,
            Secret = secret,
            OneFilesystem = policy.Flag("one_filesystem", false),
            Sysctls = policy.TextsOrNull("sysctls") is { } names ? [.. names.Select(name => Sysctl(policy, name)).OfType<SysctlPattern>()] : null,
        };
    }

    /// <summary>Its content leaves the machine only as a keyed digest.</summary>
    public bool IsSecret(ReadOnlySpan<byte> file) => _own.TreatmentOf(EntryKind.File, file) == Treatment.Secret;

    /// <summary>Whether a file may be parsed. A secret only as what it is: as something else, what is secret in it may become a name.</summary>
    /// <param name="format">As the policy wants it.</param>
    public bool MayParse(EntryKey file, string format) =>
        (Parsable is null || Parsable.Any(pattern => pattern.Matches(EntryKind.File, file.Bytes)))
        && (!(OnlyAsShipped || IsSecret(file.Bytes)) || ShippedPolicies.Default.SettingsOf(file.Bytes)?.Format == format);

    private static IReadOnlyList<KeyPattern> Files(SettingsSection settings, string name, IReadOnlyList<string> texts) =>
        [.. texts.Select(text => File(settings, name, text)).OfType<KeyPattern>()];

    private static KeyPattern? File(SettingsSection settings, string name, string text)
    {
        try
        {
            var pattern = KeyPattern.Parse(text);
            if (pattern.Kind == EntryKind.File)
                return pattern;
            settings.Fail(name, $"has '{text}'; write paths, such as [\"/etc/ssh/sshd_config\"].");
        }
        catch (FormatException e)
        {
            settings.Fail(name, "has a pattern that can't be read: " + e.Message);
        }

        return null;
    }

    private static SysctlPattern? Sysctl(SettingsSection settings, string text)
    {
        try
        {
            return SysctlPattern.Parse(text);
        }
        catch (FormatException e)
        {
            settings.Fail("sysctls", "has a name that can't be read: " + e.Message);
            return null;
        }
    }
}

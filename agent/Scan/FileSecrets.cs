using Telemetry.Agent.Policies;
using Telemetry.Agent.Settings;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Agent.Scan;

/// <summary>What a policy says of one file's content.</summary>
internal enum SecretClass : byte
{
    /// <summary>Nothing: it is no secret unless it is plainly a private key that not everybody may read.</summary>
    None,

    /// <summary>It is parsed into settings: it is a secret when one of them has a secret name.</summary>
    Settings,

    /// <summary>The same, where words such as "password" are part of the language: only what is assigned with <c>=</c> counts.</summary>
    Assignments,

    /// <summary>The same, and what command lines give to programs.</summary>
    Commands,

    /// <summary>What it holds is not compared, so nothing is lost: it is a secret unless everybody may read it.</summary>
    Unjudged,

    /// <summary>It is a secret.</summary>
    Secret,
}

/// <summary>Which files get a keyed digest instead of a plain one. A function of the key and the content, and of nothing else.</summary>
/// <remarks>
/// How a digest was made belongs to what a stamp proves: under another policy or another key the same file has another
/// fingerprint. So the stamp of such a file is mixed with the reason.
/// </remarks>
internal sealed class FileSecrets(Policy policy, FleetKey key)
{
    private const uint ReadableByAll = 0b100;

    // Raised when other contents count as secrets: what an earlier version took for none is read again.
    private const long Version = 2;

    public FleetKey Key { get; } = key;

    public PolicyLimits Limits { get; init; } = PolicyLimits.None;

    public SecretClass ClassOf(ReadOnlySpan<byte> file)
    {
        var treatment = policy.TreatmentOf(EntryKind.File, file);
        return treatment == Treatment.Secret || Limits.IsSecret(file) ? SecretClass.Secret
            : policy.SettingsOf(file) is { } settings ? ClassOf(SettingsFormat.Find(settings.Format))
            : treatment is Treatment.Ignore or Treatment.Presence or Treatment.Attributes or Treatment.Growing ? SecretClass.Unjudged
            : SecretClass.None;
    }

    /// <summary>Whether all of a file is to be seen before its digest is made.</summary>
    /// <param name="mode">Of the file.</param>
    public static bool NeedsWhole(SecretClass secret, uint mode) => secret switch
    {
        SecretClass.Secret or SecretClass.Unjudged => false,
        SecretClass.None => (mode & ReadableByAll) == 0,
        _ => true,
    };

    /// <param name="mode">Of the file: a private key that everybody may read, such as an example, keeps no secret.</param>
    /// <param name="content">Of a file of this class, or its beginning when it is too large to be parsed.</param>
    public static bool IsSecret(SecretClass secret, uint mode, ReadOnlySpan<byte> content) => secret switch
    {
        SecretClass.Secret => true,
        SecretClass.Unjudged => (mode & ReadableByAll) == 0,
        SecretClass.Settings => SecretText.Holds(content, SecretReach.Everything),
        SecretClass.Commands => SecretText.Holds(content, SecretReach.Commands),
        SecretClass.Assignments => SecretText.Holds(content, SecretReach.Assignments),
        _ => (mode & ReadableByAll) == 0 && PrivateKeyText.IsIn(content),
    };

    /// <summary>The stamp to keep beside a fingerprint.</summary>
    public FileStamp Mark(FileStamp stamp, SecretClass secret, bool isKeyed) =>
        stamp.IsNone ? stamp : stamp.Mixed(MarkOf(secret) ^ (isKeyed ? (long)Key.Id : 0));

    /// <summary>Whether a kept stamp proves that a file is as it was, and that its digest would be made in the same way.</summary>
    public bool Proves(FileStamp kept, FileStamp current, SecretClass secret) =>
        (secret != SecretClass.Secret && kept == Mark(current, secret, isKeyed: false)) || kept == Mark(current, secret, isKeyed: true);

    // A format that this version does not know may hold anything.
    private static SecretClass ClassOf(SettingsFormat? format) => format?.Reach switch
    {
        SecretReach.None => SecretClass.None,
        SecretReach.Assignments => SecretClass.Assignments,
        SecretReach.Commands => SecretClass.Commands,
        _ => SecretClass.Settings,
    };

    // Far from what times of change differ by.
    private static long MarkOf(SecretClass secret) => ((long)secret << 56) | (Version << 48);
}

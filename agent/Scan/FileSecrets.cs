using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Agent.Scan;

/// <summary>What a policy says of one file's content.</summary>
internal enum SecretClass : byte
{
    /// <summary>Nothing: it is no secret unless it is plainly a private key.</summary>
    None,

    /// <summary>It is parsed into settings: it is a secret when one of them has a secret name.</summary>
    Settings,

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
    private const long SettingsMark = 0x5e77_1a65, SecretMark = 0x5ec2_e75e;

    public FleetKey Key { get; } = key;

    public SecretClass ClassOf(ReadOnlySpan<byte> file) =>
        policy.TreatmentOf(EntryKind.File, file) == Treatment.Secret ? SecretClass.Secret
        : policy.SettingsOf(file) is not null ? SecretClass.Settings
        : SecretClass.None;

    /// <summary>The stamp to keep beside a fingerprint.</summary>
    public FileStamp Mark(FileStamp stamp, SecretClass secret, bool isKeyed) =>
        stamp.IsNone ? stamp : stamp.Mixed(MarkOf(secret) ^ (isKeyed ? (long)Key.Id : 0));

    /// <summary>Whether a kept stamp proves that a file is as it was, and that its digest would be made in the same way.</summary>
    public bool Proves(FileStamp kept, FileStamp current, SecretClass secret) =>
        (secret != SecretClass.Secret && kept == Mark(current, secret, isKeyed: false)) || kept == Mark(current, secret, isKeyed: true);

    private static long MarkOf(SecretClass secret) => secret switch
    {
        SecretClass.Settings => SettingsMark,
        SecretClass.Secret => SecretMark,
        _ => 0,
    };
}

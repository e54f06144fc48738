using System.Text;
using Telemetry.Agent.Watch.Who;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Settings;

/// <summary>From the settings of one file to entries: keys that hold no secret, values or their digests.</summary>
/// <param name="file">Its path below the root, with slashes.</param>
/// <param name="isSecret">The whole file is a secret.</param>
internal sealed class FileSettings(byte[] file, SettingsFormat format, bool isSecret, FleetKey key)
{
    /// <summary>What stands for a text that is no name: its digest, keyed where it holds a secret.</summary>
    public string Shorten(string text)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        return (format.HoldsSecret(bytes) ? key.Digest(bytes).Digest : Digest.Of(bytes)).ToString();
    }

    /// <returns>Keys and encoded fingerprints, in rising key order, no two alike.</returns>
    public IReadOnlyList<(EntryKey Key, byte[] Fingerprint)> Entries(SettingList settings)
    {
        var entries = new SortedDictionary<EntryKey, byte[]>();
        foreach (var setting in settings.All)
            entries.TryAdd(KeyOf(setting.Name), ValueOf(setting).Encode());
        if (settings.Order.Count > 0)
            entries.TryAdd(KeyOf([SettingKey.Order]), OrderOf(settings.Order).Encode());
        return [.. entries.Select(entry => (entry.Key, entry.Value))];
    }

    private EntryKey KeyOf(string[] name)
    {
        var entry = new EntryKey(file);
        var isBelowSecret = false;
        foreach (var component in name)
        {
            entry = entry.Child(Component(component, isBelowSecret));
            isBelowSecret |= format.AnyNameIsSecret && SecretText.IsSecretName(Encoding.Latin1.GetBytes(component));
        }

        return entry.Length <= EntryKey.MaxLength
            ? entry
            : new EntryKey(file).Child(Encoding.ASCII.GetBytes(key.Digest(entry.Bytes).Digest.ToString()));
    }

    /// <summary>A name that holds a secret, or is a part of one, is told by its keyed digest. Below a secret name, what is no plain word may be one.</summary>
    private byte[] Component(string text, bool isBelowSecret)
    {
        var bytes = Encoding.Latin1.GetBytes(text.Length == 0 ? "''" : text);
        if ((isBelowSecret && !IsPlainWord(bytes)) || format.HoldsSecret(bytes))
            return Encoding.ASCII.GetBytes(key.Digest(bytes).Digest.ToString());
        return bytes;
    }

    private Fingerprint ValueOf(Setting setting)
    {
        var value = Encoding.Latin1.GetBytes(setting.Value);
        var isKeyed = isSecret || (value.Length > 0 && !format.PlainValues.Contains(setting.Value) && (HasSecretName(setting) || HoldsSecret(setting, value)));
        return isKeyed ? new Fingerprint { KeyedValue = key.Digest(value) } : new Fingerprint().WithValue(value);
    }

    private Fingerprint OrderOf(IReadOnlyList<string> names)
    {
        var order = Encoding.Latin1.GetBytes(string.Join(", ", names));
        return isSecret || format.HoldsSecret(order) ? new Fingerprint { KeyedValue = key.Digest(order) } : new Fingerprint().WithValue(order);
    }

    /// <summary>Some values are secrets only behind their name: Galera's, Docker's, Samba's.</summary>
    private bool HoldsSecret(Setting setting, byte[] value) =>
        format.HoldsSecret(value)
        || (Encoding.Latin1.GetBytes(setting.Name[^1]) is var name && IsName(name) && format.HoldsSecret([.. name, (byte)'=', .. value]));

    private static bool IsName(ReadOnlySpan<byte> text) => text.IndexOfAnyExcept(MaskedText.NameLetters) < 0;

    private static bool IsPlainWord(ReadOnlySpan<byte> text)
    {
        var marks = new bool[text.Length];
        RandomText.Find(text, marks);
        return IsName(text) && !marks.AsSpan().Contains(true);
    }

    private bool HasSecretName(Setting setting)
    {
        if (format.Reach == SecretReach.None)
            return false;
        var names = format.AnyNameIsSecret ? setting.Name : setting.Name[^1..];
        return Array.Exists(names, name => SecretText.IsSecretName(Encoding.Latin1.GetBytes(name)));
    }
}

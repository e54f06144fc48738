using System.Buffers.Binary;
using Google.Protobuf;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Mapping;

/// <summary>Entries and differences from the model to the messages people's clients receive.</summary>
public static class EntryMapping
{
    public static V1.Entry ToMessage(this Fingerprint fingerprint, EntryKind kind, EntryKey key)
    {
        var message = new V1.Entry
        {
            Key = KeyText.Format(kind, key.Bytes),
            Kind = kind.ToMessage(),
            State = EntryWords.Of(fingerprint.State),
        };
        if (fingerprint.Type is { } type)
            message.Type = EntryWords.Of(type);
        if (fingerprint.Mode is { } mode)
            message.Mode = mode;
        if (fingerprint.Uid is { } uid)
            message.Uid = uid;
        if (fingerprint.Gid is { } gid)
            message.Gid = gid;
        if (fingerprint.Size is { } size)
            message.Size = size;
        if ((fingerprint.Content ?? fingerprint.ValueDigest) is { } digest)
            message.Digest = digest.ToMessage();
        if (fingerprint.Target is { } target)
            message.Target = ByteString.CopyFrom(target.Bytes);
        if (fingerprint.TargetDigest is { } targetDigest)
            message.TargetDigest = targetDigest.ToMessage();
        if (fingerprint.Device is { } device)
            message.Device = device;
        if (fingerprint.Xattrs is { } xattrs)
            message.Xattrs = xattrs.ToMessage();
        if (fingerprint.Version is { } version)
            message.Version = version.ToString();
        if (fingerprint.Status is { } status)
            message.Status = status.ToString();
        if (fingerprint.Value is { } value)
            message.Value = value.ToString();
        if ((fingerprint.KeyedContent ?? fingerprint.KeyedValue) is { } keyed)
        {
            message.KeyedDigest = keyed.Digest.ToMessage();
            var keyId = new byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64BigEndian(keyId, keyed.KeyId);
            message.KeyId = ByteString.CopyFrom(keyId);
        }

        return message;
    }
}

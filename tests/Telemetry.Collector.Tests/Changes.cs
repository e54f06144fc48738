using Google.Protobuf;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests;

/// <summary>Changes on an instance, with who made them: a batch of change records and what the entries become.</summary>
internal sealed class Changes
{
    private readonly List<(string Name, Fingerprint? After)> _entries = [];
    private readonly V1.ChangeBatch _batch = new();
    private DateTimeOffset _at = Some.Time;
    private uint _actor;

    public static V1.Actor Vim => new()
    {
        Pid = 4711,
        Executable = "/usr/bin/vim",
        IsCertain = true,
        CommandLine = { "vim", "/etc/hosts" },
        Uid = 0,
        User = "root",
        LoginUid = 1000,
        LoginUser = "anna",
    };

    public static V1.PackageTransition Upgrade(string name = "apache2", string from = "2.4.62-1", string to = "2.4.65-1") =>
        new() { Name = name, Architecture = "amd64", FromVersion = from, ToVersion = to };

    /// <summary>What follows was made by this process; null: nobody knows by which.</summary>
    public Changes By(V1.Actor? actor)
    {
        if (actor is not null)
            _batch.Actors.Add(actor);
        _actor = actor is null ? 0 : (uint)_batch.Actors.Count;
        return this;
    }

    /// <summary>What follows belongs to this run of dpkg.</summary>
    public Changes In(params V1.PackageTransition[] packages)
    {
        var transaction = new V1.PackageTransaction { Id = "1", Manager = "dpkg", BeganAt = _at.ToTimestamp() };
        transaction.Packages.AddRange(packages);
        _batch.Transactions.Add(transaction);
        return this;
    }

    /// <summary>What follows was seen then.</summary>
    public Changes At(DateTimeOffset time)
    {
        _at = time;
        return this;
    }

    /// <summary>An entry, named as people do, is this now; null: gone.</summary>
    public Changes Made(string name, Fingerprint? after, V1.Membership membership = V1.Membership.Unspecified)
    {
        var (kind, key) = KeyText.Parse(name);
        _entries.Add((name, after));
        _batch.Records.Add(new V1.ChangeRecord
        {
            Kind = kind.ToMessage(),
            Key = ByteString.CopyFrom(key.Bytes),
            Fingerprint = after is null ? ByteString.Empty : ByteString.CopyFrom(after.Encode()),
            ObservedAt = _at.ToTimestamp(),
            Actor = _actor,
            Transaction = membership == V1.Membership.Unspecified ? 0 : (uint)_batch.Transactions.Count,
            Membership = membership,
        });
        return this;
    }

    /// <summary>An entry changes, and nobody tells who did it.</summary>
    public Changes Silently(string name, Fingerprint? after)
    {
        _entries.Add((name, after));
        return this;
    }

    public V1.ChangeBatch ToBatch() => _batch;

    public void ApplyTo(FileTree tree)
    {
        foreach (var (name, after) in _entries)
            tree.Put(name, after);
    }
}

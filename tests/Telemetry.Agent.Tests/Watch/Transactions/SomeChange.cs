using Telemetry.Agent.Watch;
using Telemetry.Agent.Watch.Transactions;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Tests.Watch.Transactions;

internal static class SomeChange
{
    public static TransactionChange Of(EntryKey key, Belonging belonging, DateTimeOffset at = default) =>
        new(key, IsDeep: false, belonging, at, new ChangeOrigin(at, By: null));
}

using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>Looks at one sort of thing, completely, and hands out its entries in rising key order.</summary>
internal interface IScanner
{
    /// <summary>What coverage says of this scanner.</summary>
    Scanner Identity { get; }

    /// <returns>False when there is nothing here that this scanner answers for; it is then no part of the coverage.</returns>
    /// <exception cref="OperationCanceledException">The pass was called off; what was handed out is of no use.</exception>
    bool Scan(ScanPass pass, CancellationToken cancellation);
}

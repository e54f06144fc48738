using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Alerts;

/// <summary>One way to tell somebody.</summary>
internal interface IAlertRoute
{
    /// <summary>As configured; names the route's progress in the store.</summary>
    string Name { get; }

    /// <summary>Tells of one event. Repeats carry the same identity, so that a receiver can tell them from news.</summary>
    /// <exception cref="AlertException">The receiver did not take it; try again later.</exception>
    Task SendAsync(StoredEvent stored, CancellationToken cancellation);

    /// <summary>Tells of what the collector itself needs.</summary>
    /// <inheritdoc cref="SendAsync(StoredEvent, CancellationToken)"/>
    Task SendAsync(Notice notice, CancellationToken cancellation);
}

/// <summary>A receiver did not take an event; the message says what it answered.</summary>
internal sealed class AlertException(string message) : Exception(message);

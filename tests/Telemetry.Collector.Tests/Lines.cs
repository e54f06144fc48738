using Microsoft.Extensions.Logging;

namespace Telemetry.Collector.Tests;

/// <summary>Keeps what is logged, whoever logs it.</summary>
internal class Lines : ILogger, ILoggerProvider
{
    private readonly List<(LogLevel Level, string Text)> _all = [];

    public IReadOnlyList<(LogLevel Level, string Text)> All
    {
        get
        {
            lock (_all)
                return [.. _all];
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_all)
            _all.Add((logLevel, formatter(state, exception)));
    }

    public void Dispose()
    {
        // Nothing is held.
    }
}

/// <inheritdoc/>
internal sealed class Lines<T> : Lines, ILogger<T>;

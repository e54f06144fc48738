using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging.Console;

namespace Telemetry.Collector;

/// <summary>Logs one line an event, with a UTC time, or with systemd's priorities when it runs under systemd.</summary>
internal static class CollectorConsole
{
    public static ILoggingBuilder AddCollectorConsole(this ILoggingBuilder logging)
    {
        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Grpc", LogLevel.Warning);

        // A failed start is told once, by the command, without a stack; a background task that dies is critical.
        logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.Critical);
        if (SystemdHelpers.IsSystemdService())
            return logging.AddSystemdConsole();

        return logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            console.ColorBehavior = LoggerColorBehavior.Disabled;
        });
    }
}

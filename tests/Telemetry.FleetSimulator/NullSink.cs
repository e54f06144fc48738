using System.CommandLine;
using System.Net;

namespace Telemetry.FleetSimulator;

/// <summary>A time-series server that takes everything and keeps nothing: for measuring what is before it.</summary>
internal static class NullSink
{
    public static Command Command()
    {
        var listen = new Option<Uri>("--listen") { CustomParser = result => new Uri(result.Tokens[0].Value), Description = "Such as http://127.0.0.1:8086/.", Required = true };
        var command = new Command("sink", "Takes points as InfluxDB 1.x does, and forgets them.") { listen };
        command.SetAction((arguments, cancellation) => RunAsync(arguments.GetValue(listen)!, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(Uri listen, CancellationToken cancellation)
    {
        using var listener = new HttpListener();
        listener.Prefixes.Add(listen.AbsoluteUri);
        listener.Start();
        using var stopping = cancellation.UnsafeRegister(static listener => ((HttpListener)listener!).Stop(), listener);
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                var context = await listener.GetContextAsync();
                await context.Request.InputStream.CopyToAsync(Stream.Null, cancellation);

                // Whoever asks which server this is gets the one it acts as.
                context.Response.Headers["X-Influxdb-Version"] = "1.6.7";
                context.Response.StatusCode = (int)HttpStatusCode.NoContent;
                context.Response.Close();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or OperationCanceledException)
            {
                // A caller that went away, or the end.
            }
        }

        return 0;
    }
}

using Telemetry.Protocol.Configuration;

namespace Telemetry.Collector.Alerts;

/// <summary>One <c>[[routes]]</c> table.</summary>
/// <param name="Name">Unique; the route's progress is kept under it.</param>
/// <param name="Url">Where the webhook listens.</param>
internal sealed record AlertRouteOptions(string Name, Uri Url)
{
    /// <summary>Reads all routes, reporting what is wrong with each.</summary>
    public static IReadOnlyList<AlertRouteOptions> ReadAll(SettingsSection settings)
    {
        var routes = new List<AlertRouteOptions>();
        foreach (var table in settings.Elements("routes"))
        {
            var name = table.Text("name", "");
            if (name.Length == 0)
                table.Fail("name", "must be set: it names the route in logs and keeps its progress.");
            else if (routes.Exists(route => route.Name == name))
                table.Fail("name", $"'{name}' is the name of another route.");

            if (table.Text("kind", "") != "webhook")
                table.Fail("kind", "must be \"webhook\": this version has no other kind of route.");

            if (Uri.TryCreate(table.Text("url", ""), UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
                routes.Add(new AlertRouteOptions(name, url));
            else
                table.Fail("url", "must be an address, such as \"http://127.0.0.1:9000/hook\".");
        }

        return routes;
    }
}

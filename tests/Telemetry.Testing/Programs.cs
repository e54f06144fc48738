using System.Reflection;

namespace Telemetry.Testing;

/// <summary>Where the published programs and the repository lie.</summary>
public static class Programs
{
    public static string Repository { get; } = FindRepository();

    /// <summary>The folder of published programs: TELEMETRY_BIN, else artifacts/bin.</summary>
    public static string Folder { get; } =
        Environment.GetEnvironmentVariable("TELEMETRY_BIN") ?? Path.Combine(Repository, "artifacts", "bin");

    public static string Agent => Path.Combine(Folder, "telemetry-agent");

    public static string Collector => Path.Combine(Folder, "telemetry-collector");

    public static string Ctl => Path.Combine(Folder, "telemetryctl");

    private static string FindRepository()
    {
        for (var folder = Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Telemetry.sln")))
                return folder;
        }

        throw new InvalidOperationException("The tests do not lie in the repository.");
    }
}

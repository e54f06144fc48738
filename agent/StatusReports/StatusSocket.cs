namespace Telemetry.Agent.StatusReports;

/// <summary>Where an agent answers: one socket, its owner's alone, in a folder that is its owner's alone.</summary>
internal static class StatusSocket
{
    private const string Name = "agent.sock";

    /// <summary>As the shipped unit has systemd make it: RuntimeDirectory= of systemd.exec(5).</summary>
    private const string RuntimeDirectory = "/run/telemetry";

    /// <summary>What a client sends, with a line feed.</summary>
    public const string Request = "status";

    /// <summary>More is not read of what a client sends.</summary>
    public const int MaxRequest = 64;

    /// <summary>How long either end waits for the other.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>
    /// In the folder that systemd made for this service. An agent that was started otherwise has only its state directory: another
    /// one may be running as the service.
    /// </summary>
    /// <param name="runtimeDirectory">The environment's RUNTIME_DIRECTORY.</param>
    public static string ServedAt(string stateDirectory, string? runtimeDirectory) =>
        Path.Combine(string.IsNullOrEmpty(runtimeDirectory) ? stateDirectory : runtimeDirectory.Split(':')[0], Name);

    /// <summary>Where an agent with this state directory may be.</summary>
    /// <param name="runtimeDirectory">The environment's RUNTIME_DIRECTORY, of who asks.</param>
    public static IReadOnlyList<string> SearchedAt(string stateDirectory, string? runtimeDirectory) =>
        [.. ((string[])[ServedAt(stateDirectory, runtimeDirectory), Path.Combine(RuntimeDirectory, Name), Path.Combine(stateDirectory, Name)]).Distinct()];
}

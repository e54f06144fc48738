using System.Text.Json.Serialization;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Causes;

/// <summary>An actor as people and programs read it. What is not known is null.</summary>
internal sealed record ActorView
{
    public int? Pid { get; init; }

    public string? Exe { get; init; }

    /// <summary>Arguments with a blank in between, quoted where they would not read as one. Secrets are masked.</summary>
    public string? Cmdline { get; init; }

    public uint? Uid { get; init; }

    public uint? LoginUid { get; init; }

    /// <summary>False: the process has run another program since, or is gone.</summary>
    public bool Certain { get; init; }

    /// <summary>For people, such as <c>vim (root, logged in as anna)</c>.</summary>
    [JsonIgnore]
    public string Text { get; init; } = "";

    public static ActorView? Of(V1.Actor? message) => message is null ? null : Of(ActorMapping.Stored(message));

    private static ActorView Of(Actor actor) => new()
    {
        Pid = actor.Pid == 0 ? null : actor.Pid,
        Exe = actor.Executable.Length == 0 ? null : actor.Executable,
        Cmdline = actor.CommandLine.Count == 0 ? null : string.Join(' ', actor.CommandLine.Select(Quoted)),
        Uid = actor.Uid,
        LoginUid = actor.LoginUid,
        Certain = actor.IsCertain,
        Text = CauseText.Of(actor),
    };

    private static string Quoted(string argument) =>
        argument.Length > 0 && argument.AsSpan().IndexOfAny(" '\"") < 0
            ? argument
            : $"'{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}

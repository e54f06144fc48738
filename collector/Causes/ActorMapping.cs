using Telemetry.Protocol.Mapping;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Causes;

/// <summary>Actors between messages and model.</summary>
internal static class ActorMapping
{
    /// <summary>All arguments together, in characters.</summary>
    private const int MaxCommandLineLength = 4096;

    /// <summary>Arguments may be empty.</summary>
    private const int MaxArguments = 2 * MaxCommandLineLength;

    /// <exception cref="BadMessageException">More than an agent says of a process.</exception>
    public static Actor ToModel(this V1.Actor message)
    {
        if (message.CommandLine.Sum(argument => argument.Length) > MaxCommandLineLength || message.CommandLine.Count > MaxArguments)
            throw new BadMessageException($"a command line of more than {MaxCommandLineLength} characters, or {MaxArguments} arguments");

        return Stored(message) with
        {
            Executable = PeerText.Path(message.Executable, "an executable"),
            CommandLine = [.. message.CommandLine.Select(PeerText.Plain)],
            User = PeerText.Name(message.User, "a user's name"),
            LoginUser = PeerText.Name(message.LoginUser, "a user's name"),
            ParentExecutable = PeerText.Path(message.ParentExecutable, "an executable"),
            Unit = PeerText.Path(message.Unit, "a unit"),
        };
    }

    /// <summary>An actor that was checked when it came in.</summary>
    public static Actor Stored(V1.Actor message) => new()
    {
        Pid = message.Pid,
        Executable = message.Executable,
        IsCertain = message.IsCertain,
        HasExited = message.HasExited,
        CommandLine = [.. message.CommandLine],
        Uid = message.HasUid ? message.Uid : null,
        User = message.User,
        LoginUid = message.HasLoginUid ? message.LoginUid : null,
        LoginUser = message.LoginUser,
        ParentPid = message.ParentPid,
        ParentExecutable = message.ParentExecutable,
        Unit = message.Unit,
    };

    public static V1.Actor ToMessage(this Actor actor)
    {
        var message = new V1.Actor
        {
            Pid = actor.Pid,
            Executable = actor.Executable,
            IsCertain = actor.IsCertain,
            HasExited = actor.HasExited,
            User = actor.User,
            LoginUser = actor.LoginUser,
            ParentPid = actor.ParentPid,
            ParentExecutable = actor.ParentExecutable,
            Unit = actor.Unit,
        };
        message.CommandLine.AddRange(actor.CommandLine);
        if (actor.Uid is { } uid)
            message.Uid = uid;
        if (actor.LoginUid is { } loginUid)
            message.LoginUid = loginUid;
        return message;
    }
}

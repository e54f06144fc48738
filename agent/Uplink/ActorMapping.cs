using Telemetry.Protocol.V1;

namespace Telemetry.Agent.Uplink;

/// <summary>From who made a change to what is said of it.</summary>
internal static class ActorMapping
{
    public static Actor ToMessage(this Watch.Who.Actor actor)
    {
        var message = new Actor
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
        if (actor.Uid is { } user)
            message.Uid = user;
        if (actor.LoginUid is { } login)
            message.LoginUid = login;
        return message;
    }
}

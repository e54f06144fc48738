using Telemetry.Collector.Causes;

namespace Telemetry.Collector.Tests.Causes;

public sealed class CauseIdentityTests
{
    private static readonly Actor Vim = new() { Pid = 1, Executable = "/usr/bin/vim", Uid = 0, LoginUid = 1000, Unit = "ssh.service" };

    private static readonly PackageTransition Apache = new("apache2", "amd64", "2.4.62-1", "2.4.65-1");

    private static readonly PackageTransition Bin = new("apache2-bin", "amd64", "2.4.62-1", "2.4.65-1");

    [Theory]
    [InlineData((int)Membership.Verified, (int)CauseKind.Packages)]
    [InlineData((int)Membership.Unverified, (int)CauseKind.Packages)]
    [InlineData((int)Membership.Residue, (int)CauseKind.Actor)]
    [InlineData((int)Membership.None, (int)CauseKind.Actor)]
    public void Of_ARecordWithATransaction_IsOfPackagesOnlyWhenItIsAMember(int membership, int expected)
    {
        var identity = CauseIdentity.Of(Vim, Transaction(Apache), (Membership)membership, "i-1", "shop", Some.Time);

        Assert.Equal((CauseKind)expected, identity!.Kind);
    }

    [Fact]
    public void Of_TheSamePackagesElsewhere_IsTheSameWhateverTheirOrderAndTheirTime()
    {
        var here = CauseIdentity.Of(Vim, Transaction(Apache, Bin), Membership.Verified, "i-1", "shop", Some.Time)!;
        var there = CauseIdentity.Of(null, Transaction(Bin, Apache) with { Id = "7", BeganAt = Some.Time.AddDays(3) }, Membership.Unverified, "i-2", "shop", Some.Time)!;

        Assert.Equal(here.Key, there.Key);
        Assert.Null(here.Window);
    }

    [Fact]
    public void Of_OtherPackagesOrAnotherLine_IsAnother()
    {
        PackageTransaction[] transactions =
        [
            Transaction(Apache),
            Transaction(Apache, Bin),
            Transaction(Apache with { To = "2.4.66-1" }),
            Transaction(Apache with { From = "2.4.6", To = "2-12.4.65-1" }),
            Transaction(Apache) with { Manager = "rpm" },
            Transaction(),
            Transaction() with { Id = "2" },
        ];

        var keys = transactions
            .Select(transaction => CauseIdentity.Of(null, transaction, Membership.Verified, "i-1", "shop", Some.Time)!.Key)
            .Append(CauseIdentity.Of(null, Transaction(Apache), Membership.Verified, "i-1", "other", Some.Time)!.Key);

        Assert.Equal(transactions.Length + 1, keys.Distinct().Count());
    }

    [Fact]
    public void Of_OneActor_IsTheSameForEveryProcessOfTheProgramAndUserOnOneInstance()
    {
        var one = OfActor(Vim);

        Assert.Equal(one.Key, OfActor(Vim with { Pid = 2, CommandLine = ["vim", "x"] }).Key);
        Assert.NotEqual(one.Key, OfActor(Vim with { Executable = "/usr/bin/sed" }).Key);
        Assert.NotEqual(one.Key, OfActor(Vim with { Uid = 1 }).Key);
        Assert.NotEqual(one.Key, OfActor(Vim with { LoginUid = null }).Key);
        Assert.NotEqual(one.Key, OfActor(Vim with { Unit = "" }).Key);
        Assert.NotEqual(one.Key, CauseIdentity.Of(Vim, null, Membership.None, "i-2", "shop", Some.Time)!.Key);
        Assert.Equal(TimeSpan.FromMinutes(1), one.Window);
    }

    [Fact]
    public void Of_NobodyKnown_IsNone()
    {
        Assert.Null(CauseIdentity.Of(null, null, Membership.None, "i-1", "shop", Some.Time));
        Assert.Null(CauseIdentity.Of(new Actor { Pid = 3, HasExited = true }, Transaction(Apache), Membership.Residue, "i-1", "shop", Some.Time));
    }

    private static CauseIdentity OfActor(Actor actor) => CauseIdentity.Of(actor, null, Membership.None, "i-1", "shop", Some.Time)!;

    private static PackageTransaction Transaction(params PackageTransition[] packages) => new("1", "dpkg", Some.Time, null, [.. packages]);
}

using Telemetry.Agent.Linux;
using Telemetry.Agent.Packages;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Watch.Who;

/// <summary>Names of users below a root, as its <c>passwd</c> file has them now. Not for several threads.</summary>
internal sealed class UserNames(string root, TimeProvider clock)
{
    // A look at the file's status is cheap, but not for every process.
    private static readonly TimeSpan LongestTrust = TimeSpan.FromSeconds(1);

    private static readonly EntryKey File = EntryKey.Of("etc", "passwd");

    private AccountNames? _accounts;
    private FileStatus _status;
    private long _lookedAt;

    /// <returns>Escaped; empty when the user has no name.</returns>
    public string Of(uint user)
    {
        if (_accounts is null || clock.GetElapsedTime(_lookedAt) >= LongestTrust)
            Refresh();

        // A new one may act at once.
        if (_accounts!.Name(user) is null)
            Refresh();
        return _accounts.Name(user)?.ToString() ?? "";
    }

    private void Refresh()
    {
        _lookedAt = clock.GetTimestamp();
        var status = default(FileStatus);
        if (RootedTree.Open(root, out var tree) == 0)
        {
            using (tree)
                _ = tree!.Status(File.Bytes, out status);
        }

        if (_accounts is not null && status == _status)
            return;
        _status = status;
        _accounts = AccountNames.Read(root, "passwd");
    }
}

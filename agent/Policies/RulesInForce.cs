using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Telemetry.Protocol.Files;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Agent.Policies;

/// <summary>What the scans go by: one immutable value, swapped whole.</summary>
/// <param name="Version">Counts changes since the agent started.</param>
internal sealed record Rules(Policy Policy, FleetKey Key, int Version);

/// <summary>
/// The policy and the fleet's key as the collector told them last, kept in the state directory: they hold when it is away. Before
/// the first word from it: the shipped policy, and a key of this instance's own.
/// </summary>
internal sealed partial class RulesInForce : IDisposable
{
    private const string PolicyFileName = "policy", KeyFileName = "fleet.key";

    private readonly string _directory;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private volatile Rules _current;
    private int _lookedAtVersion;
    private CancellationTokenSource _changed = new();

    /// <param name="directory">Exists; whether it can be written to shows here.</param>
    public RulesInForce(string directory, ILogger<RulesInForce> log)
    {
        _directory = directory;
        _log = log;
        _current = new Rules(ReadPolicy() ?? ShippedPolicies.Default, ReadKey() ?? OwnKey(), Version: 0);
    }

    public Rules Current => _current;

    /// <summary>Whether the last complete look went by the rules in force: a head made under others is not told.</summary>
    public bool AreLookedAt => Volatile.Read(ref _lookedAtVersion) == _current.Version;

    /// <summary>Cancelled when other rules come into force; then there is a new one.</summary>
    public CancellationToken Changed
    {
        get
        {
            lock (_gate)
                return _changed.Token;
        }
    }

    public void LookedAt(Rules rules) => Volatile.Write(ref _lookedAtVersion, rules.Version);

    /// <summary>What the collector says. What it does not say stays as it is.</summary>
    /// <exception cref="BadMessageException">Not a policy, or not a key.</exception>
    public void Apply(Protocol.V1.Policy? policy, ByteString key)
    {
        CancellationTokenSource before;
        lock (_gate)
        {
            var isPolicyNew = policy is not null && !policy.Equals(_current.Policy.ToMessage());
            var told = key.IsEmpty ? null : ToKey(key);
            var isKeyNew = told is not null && told.Id != _current.Key.Id;
            if (!isPolicyNew && !isKeyNew)
                return;

            _current = new Rules(
                isPolicyNew ? policy!.ToModel() : _current.Policy, isKeyNew ? told! : _current.Key, _current.Version + 1);
            if (isPolicyNew)
                Keep(PolicyFileName, policy!.ToByteArray());
            if (isKeyNew)
                Keep(KeyFileName, System.Text.Encoding.ASCII.GetBytes(told!.ToText()));
            Log.Changed(_log, _current.Policy.Name, _current.Key);
            (before, _changed) = (_changed, new CancellationTokenSource());
        }

        before.Cancel();
    }

    public void Dispose() => _changed.Dispose();

    private static FleetKey ToKey(ByteString bytes)
    {
        try
        {
            return FleetKey.Of(bytes.Span);
        }
        catch (FormatException e)
        {
            throw new BadMessageException(e.Message.TrimEnd('.'));
        }
    }

    private FleetKey OwnKey()
    {
        var key = FleetKey.Random();
        Keep(KeyFileName, System.Text.Encoding.ASCII.GetBytes(key.ToText()));
        return key;
    }

    private Policy? ReadPolicy() => Read(PolicyFileName, bytes => Protocol.V1.Policy.Parser.ParseFrom(bytes).ToModel());

    private FleetKey? ReadKey() => Read(KeyFileName, bytes => FleetKey.Parse(System.Text.Encoding.ASCII.GetString(bytes)));

    private T? Read<T>(string name, Func<byte[], T> parse)
        where T : class
    {
        try
        {
            return parse(File.ReadAllBytes(Path.Combine(_directory, name)));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or BadMessageException or InvalidProtocolBufferException)
        {
            Log.Unreadable(_log, name, _directory, e.Message);
            return null;
        }
    }

    /// <summary>What can't be kept holds until the agent ends, and is told anew then.</summary>
    private void Keep(string name, byte[] bytes)
    {
        try
        {
            PrivateFile.Write(Path.Combine(_directory, name), bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.NotKept(_log, name, _directory, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Policy '{Policy}' and {Key} are in force; everything is looked at again")]
        public static partial void Changed(ILogger log, string policy, FleetKey key);

        [LoggerMessage(2, LogLevel.Error, "'{Name}' in {Directory} can't be used ({Reason}); the agent goes on without it until the collector tells it again")]
        public static partial void Unreadable(ILogger log, string name, string directory, string reason);

        [LoggerMessage(3, LogLevel.Warning, "'{Name}' can't be kept in {Directory} ({Reason}); it holds until the agent ends")]
        public static partial void NotKept(ILogger log, string name, string directory, string reason);
    }
}

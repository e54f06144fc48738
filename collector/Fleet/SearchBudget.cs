using System.Globalization;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Fleet;

/// <summary>What one search may take of the collector: how much it may find, and how long it may look. It ends, too, when nobody waits for it any more.</summary>
/// <param name="entries">One at least.</param>
internal sealed class SearchBudget(int entries, TimeProvider time, CancellationToken cancellation)
{
    /// <summary>Of looking; who takes long to read what was found may.</summary>
    public static readonly TimeSpan LongestLook = TimeSpan.FromMinutes(1);

    private int _found;
    private TimeSpan _looked;
    private long _began;

    /// <summary>Entries that may still be found.</summary>
    public int Left => entries - _found;

    /// <summary>Why it ended before all was looked at, and what to do, for people; null: it did not.</summary>
    public string? Exceeded { get; private set; }

    /// <summary>Runs a part of the search.</summary>
    /// <returns>The default when the time is up.</returns>
    public T? Look<T>(Func<T> part)
    {
        _began = time.GetTimestamp();
        try
        {
            return part();
        }
        catch (TimeIsUpException)
        {
            Exceeded = string.Create(CultureInfo.InvariantCulture, $"The search was ended after {LongestLook.TotalSeconds:0} seconds, and there may be more; ask for one instance with --instance.");
            return default;
        }
        finally
        {
            _looked += time.GetElapsedTime(_began);
        }
    }

    /// <summary>Called now and then while it looks.</summary>
    public void Check()
    {
        cancellation.ThrowIfCancellationRequested();
        if (_looked + time.GetElapsedTime(_began) > LongestLook)
            throw new TimeIsUpException();
    }

    /// <summary>The nodes of a store, of which each that is read is a moment to end.</summary>
    public INodeSource Over(INodeSource nodes) => new CheckedNodes(nodes, this);

    /// <summary>Takes as many of what was found as may still be found.</summary>
    public IEnumerable<T> Take<T>(IReadOnlyCollection<T> found)
    {
        var taken = found.Take(Left).ToList();
        if (found.Count > Left)
            Exceeded = string.Create(CultureInfo.InvariantCulture, $"There are more than the {entries} shown; ask for more with --limit, or for one instance with --instance.");
        _found += Math.Min(Left, found.Count);
        return taken;
    }

    private sealed class CheckedNodes(INodeSource nodes, SearchBudget budget) : INodeSource
    {
        public ReadOnlyMemory<byte> Read(Digest digest)
        {
            budget.Check();
            return nodes.Read(digest);
        }
    }

    private sealed class TimeIsUpException : Exception;
}

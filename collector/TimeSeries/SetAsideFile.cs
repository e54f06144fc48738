using System.Globalization;
using System.Text;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries;

/// <summary>
/// The lines that the time-series server will never take, below comments that say whose they are and why: for a person to read, and to
/// send again when what was wrong is mended. When the file is full it becomes the older one, and that is gone.
/// </summary>
internal sealed class SetAsideFile(string directory, TimeProvider time, long most = SetAsideFile.MaxBytes)
{
    /// <summary>Of each of the two: days of mistakes, and no matter to any disk.</summary>
    private const long MaxBytes = 16 << 20;

    private const string OlderSuffix = ".1";

    private readonly Lock _gate = new();

    public string FilePath { get; } = Path.Combine(directory, "points-set-aside.lp");

    /// <exception cref="StoreException">The disk failed; some may be there.</exception>
    public void Add(IReadOnlyList<RefusedParcel> refused)
    {
        if (refused.Count == 0)
            return;
        try
        {
            lock (_gate)
                Append(refused);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(e);
        }
    }

    /// <summary>To the disk once for all of them: thousands may be refused together, each by itself.</summary>
    private void Append(IReadOnlyList<RefusedParcel> refused)
    {
        var file = Open();
        try
        {
            foreach (var parcel in refused)
            {
                foreach (var ofOne in parcel.Parcel.Batches.GroupBy(batch => batch.Owner?.InstanceId))
                {
                    if (file.Length >= most)
                    {
                        file.Flush(flushToDisk: true);
                        file.Dispose();
                        File.Move(FilePath, FilePath + OlderSuffix, overwrite: true);
                        file = Open();
                    }

                    file.Write(Encoding.UTF8.GetBytes(Comment(ofOne.Key, ofOne.Sum(batch => batch.LineCount), parcel.Words)));
                    foreach (var batch in ofOne)
                        file.Write(batch.Lines.Span);
                }
            }

            file.Flush(flushToDisk: true);
        }
        finally
        {
            file.Dispose();
        }
    }

    private FileStream Open() => new(FilePath, new FileStreamOptions
    {
        Mode = FileMode.Append,
        Access = FileAccess.Write,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    });

    /// <summary>The line protocol's own: the file can be sent as it is.</summary>
    private string Comment(string? instanceId, long lines, string words)
    {
        var plain = string.Concat(words.Select(letter => char.IsControl(letter) ? ' ' : letter));
        return string.Create(CultureInfo.InvariantCulture, $"# {time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss'Z'} {lines} of {instanceId ?? "the collector"}: {plain}\n");
    }
}

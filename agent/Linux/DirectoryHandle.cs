namespace Telemetry.Agent.Linux;

/// <summary>A directory's descriptor, closed when the walker has left it and every name taken from it was looked at.</summary>
internal sealed class DirectoryHandle(int descriptor)
{
    private int _uses = 1;

    public int Descriptor { get; } = descriptor;

    public DirectoryHandle Share()
    {
        Interlocked.Increment(ref _uses);
        return this;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _uses) == 0)
            OpenFile.Close(Descriptor);
    }
}

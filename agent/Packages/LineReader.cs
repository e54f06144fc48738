namespace Telemetry.Agent.Packages;

/// <summary>Lines of bytes, read through one buffer. A line longer than that is cut; its rest is skipped.</summary>
internal sealed class LineReader(Stream stream)
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _start, _end;
    private bool _atEnd, _hasRest;

    /// <summary>Of the line returned last; the first is 1.</summary>
    public int Number { get; private set; }

    /// <summary>Of the line returned last.</summary>
    public bool EndsWithNewline { get; private set; } = true;

    /// <param name="line">Without its newline; valid until the next call.</param>
    public bool Next(out ReadOnlySpan<byte> line)
    {
        if (_hasRest)
            SkipRest();

        var length = FindNewline();
        if (length == 0 && _start == _end)
        {
            line = [];
            return false;
        }

        line = _buffer.AsSpan(_start, length);
        _start += length;
        Number++;
        EndsWithNewline = _start < _end;
        if (EndsWithNewline)
            _start++;
        else
            _hasRest = !_atEnd;
        return true;
    }

    /// <returns>Length up to the newline, the end, or what the buffer holds.</returns>
    private int FindNewline()
    {
        while (true)
        {
            var newline = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            if (newline >= 0)
                return newline;
            if (!Fill())
                return _end - _start;
        }
    }

    /// <summary>The line filled the buffer: what follows still belongs to it.</summary>
    private void SkipRest()
    {
        _hasRest = false;
        while (!EndsWithNewline && !_atEnd)
        {
            _start = _end = 0;
            var newline = Fill() ? _buffer.AsSpan(0, _end).IndexOf((byte)'\n') : -1;
            EndsWithNewline = newline >= 0;
            _start = newline + 1;
        }
    }

    /// <returns>False when nothing follows, or the buffer is full with one line.</returns>
    private bool Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_atEnd || _end == _buffer.Length)
            return false;
        var read = stream.Read(_buffer, _end, _buffer.Length - _end);
        _atEnd = read == 0;
        _end += read;
        return read > 0;
    }
}

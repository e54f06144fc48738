namespace Telemetry.Agent.Watch.Who;

/// <summary>What a script gives a program to read: <c>echo secret | program</c> and <c>program &lt;&lt;&lt; secret</c>.</summary>
internal struct PipedText
{
    private int _start, _end;
    private bool _isEcho, _isGroup, _isPiped, _isHere;

    /// <summary>What the command that was seen last reads; null: nothing that stands in the script.</summary>
    public readonly Range? Secret => _isPiped && _end > _start ? _start.._end : null;

    /// <param name="divider">What stands between the two commands.</param>
    public void NextCommand(ReadOnlySpan<byte> divider)
    {
        var isPipe = divider.Count((byte)'|') == 1 && !divider.ContainsAny((byte)';', (byte)'\n');
        if (isPipe)
            (_isEcho, _isGroup, _isPiped) = (false, false, true);
        else if (!_isGroup)
            this = default;
    }

    /// <param name="text">The script, with a word from start to end.</param>
    public void See(ReadOnlySpan<byte> text, int start, int end)
    {
        var word = text[start..end];
        if (word.StartsWith("<<<"u8))
        {
            // It may be the next word.
            (_start, _end, _isPiped, _isHere) = (start + 3, end, true, end == start + 3);
            return;
        }

        if (_isHere)
        {
            (_start, _end, _isHere) = (start, end, false);
            return;
        }

        if (_isPiped)
            return;
        _isGroup |= word[0] is (byte)'(' or (byte)'{';
        if (_isEcho)
            (_start, _end) = (_start == 0 ? start : _start, end);

        var name = word[(word.LastIndexOfAny((byte)'/', (byte)'(') + 1)..];
        _isEcho |= name.SequenceEqual("echo"u8) || name.SequenceEqual("printf"u8) || name.SequenceEqual("print"u8);
    }
}

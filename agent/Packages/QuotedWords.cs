using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>
/// Lines of words as a shell would read them, and as rpm's <c>:shescape</c> writes them: in single quotes stands what may hold any
/// byte, newlines included. Takes pieces of any length.
/// </summary>
/// <param name="line">Called at the end of each line; the words are valid during the call.</param>
internal sealed class QuotedWords(Action<QuotedWords> line)
{
    // A package's longest line lists what it provides.
    private const int MaxLength = 4 * 1024 * 1024;

    private readonly List<int> _ends = [];
    private byte[] _bytes = new byte[4096];
    private int _length;
    private bool _inWord, _inQuotes, _isEscaped;

    /// <summary>Words in the line.</summary>
    public int Count => _ends.Count;

    /// <summary>The line was longer than any that is right; its end is missing.</summary>
    public bool IsCut { get; private set; }

    public ReadOnlySpan<byte> this[int index] => _bytes.AsSpan((index == 0 ? 0 : _ends[index - 1])..(_ends[index]));

    public ByteText Text(int index) => new(this[index]);

    public void Add(ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
            Add(value);
    }

    private void Add(byte value)
    {
        if (_isEscaped || (_inQuotes && value != (byte)'\''))
        {
            Append(value);
            _isEscaped = false;
            return;
        }

        switch (value)
        {
            case (byte)'\'':
                _inQuotes = !_inQuotes;
                _inWord = true;
                break;
            case (byte)'\\':
                _isEscaped = _inWord = true;
                break;
            case (byte)' ':
                EndWord();
                break;
            case (byte)'\n':
                EndWord();
                line(this);
                _ends.Clear();
                _length = 0;
                IsCut = false;
                break;
            default:
                Append(value);
                break;
        }
    }

    private void Append(byte value)
    {
        _inWord = true;
        if (_length == MaxLength)
        {
            IsCut = true;
            return;
        }

        if (_length == _bytes.Length)
            Array.Resize(ref _bytes, 2 * _length);
        _bytes[_length++] = value;
    }

    private void EndWord()
    {
        if (_inWord)
            _ends.Add(_length);
        _inWord = false;
    }
}

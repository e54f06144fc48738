using System.Text;
using Telemetry.Agent.Packages;

namespace Telemetry.Agent.Tests.Packages;

public sealed class QuotedWordsTests
{
    [Theory]
    [InlineData("1 (none) 'a b'\n", "1|(none)|a b")]
    [InlineData("''\n", "")]
    [InlineData("'it'\\''s' 'new\nline'\n", "it's|new\nline")]
    [InlineData("a  b\n", "a|b")]
    public void Add_InPiecesOfAnyLength_GivesTheWords(string text, string words)
    {
        foreach (var length in (int[])[1, 3, text.Length])
        {
            var lines = new List<string>();
            var quoted = new QuotedWords(line => lines.Add(string.Join('|', Enumerable.Range(0, line.Count).Select(index => Encoding.UTF8.GetString(line[index])))));

            foreach (var piece in Encoding.UTF8.GetBytes(text).Chunk(length))
                quoted.Add(piece);

            Assert.Equal([words], lines);
        }
    }

    [Fact]
    public void Add_ALineLongerThanAnyThatIsRight_IsCutAndSaysSo()
    {
        var cut = new List<bool>();
        var quoted = new QuotedWords(line => cut.Add(line.IsCut));

        quoted.Add(new byte[5_000_000]);
        quoted.Add("\nshort\n"u8);

        Assert.Equal([true, false], cut);
    }
}

using System.Text;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Tests.SystemFacts;

/// <summary>What one scanner says, as people see it.</summary>
/// <param name="IsThere">Whether it answers for anything.</param>
/// <param name="Entries">Key and value of each, in the order they came: <c>module/nf_tables OE</c>; with the state in front when it is not stable.</param>
internal sealed record Facts(bool IsThere, IReadOnlyList<string> Entries, IReadOnlyList<Gap> Gaps)
{
    public static Facts Of(IScanner scanner)
    {
        var entries = new List<string>();
        var last = EntryKey.Root;
        var pass = new ScanPass(EntryKind.System, null, Take, new ScanProgress());
        var isThere = scanner.Scan(pass, TestContext.Current.CancellationToken);
        return new Facts(isThere, entries, pass.Gaps);

        void Take(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> value, FileStamp stamp)
        {
            var key = new EntryKey(bytes);
            Assert.True(key > last, $"{key} came after {last}");
            Assert.True(scanner.Identity.AnswersFor(EntryKind.System, bytes));
            last = key;
            var fact = Fingerprint.Decode(value);
            var text = new StringBuilder(KeyText.Format(EntryKind.System, bytes)["system:".Length..]);
            if (!fact.IsStable)
                text.Append(' ').Append(EntryWords.Of(fact.State));
            if ((fact.Value?.ToString() ?? fact.ValueDigest?.ToString()) is { } shown)
                text.Append(' ').Append(shown);
            entries.Add(text.ToString());
        }
    }
}

using Google.Protobuf;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Ingest;

/// <summary>Makes another stream of recorded ones, a little wrong; the same for the same seed.</summary>
internal sealed class StreamMutator(Random random, IReadOnlyList<IReadOnlyList<V1.ConnectRequest>> recorded)
{
    private const int MostMutations = 4;

    /// <exception cref="InvalidProtocolBufferException">What came out is no message any more.</exception>
    public IReadOnlyList<V1.ConnectRequest> Next()
    {
        var messages = One(recorded).Select(message => message.Clone()).ToList();
        for (var left = random.Next(MostMutations) + 1; left > 0 && messages.Count > 1; left--)
            Mutate(messages);
        return messages;
    }

    /// <summary>The hello stays where it is: a stream without one has ended before it reaches what is tested.</summary>
    private void Mutate(List<V1.ConnectRequest> messages)
    {
        var at = random.Next(1, messages.Count);
        switch (random.Next(8))
        {
            case 0:
                messages.RemoveAt(at);
                break;
            case 1:
                messages.Insert(random.Next(1, messages.Count), messages[at].Clone());
                break;
            case 2:
                var other = random.Next(1, messages.Count);
                (messages[at], messages[other]) = (messages[other], messages[at]);
                break;
            case 3:
                messages.Insert(at, One(One(recorded)).Clone());
                break;
            case 4:
                messages[at] = Parsed(Cut(messages[at].ToByteArray()));
                break;
            case 5:
                messages[random.Next(messages.Count)] = Parsed(Flipped(One(messages).ToByteArray()));
                break;
            case 6:
                messages[at] = Parsed(Flipped(messages[at].ToByteArray()));
                break;
            default:
                ReplaceNode(messages);
                break;
        }
    }

    /// <summary>Another node in one's place, under its own digest up to the root: only its form can give it away.</summary>
    private void ReplaceNode(List<V1.ConnectRequest> messages)
    {
        var nodes = messages.SelectMany(message => message.Nodes?.Nodes ?? []).ToList();
        if (nodes.Count == 0)
            return;

        var before = One(nodes);
        var after = random.Next(3) == 0 ? Cut(before.ToByteArray()) : Flipped(before.ToByteArray());
        Replace(messages, before, ByteString.CopyFrom(after));
    }

    private static void Replace(List<V1.ConnectRequest> messages, ByteString before, ByteString after)
    {
        var (old, now) = (TreeNode.DigestOf(before.Span).ToArray(), TreeNode.DigestOf(after.Span).ToArray());
        foreach (var message in messages)
        {
            if (message.Head?.Roots is { } roots)
            {
                (roots.File, roots.Package) = (Renamed(roots.File, old, now), Renamed(roots.Package, old, now));
                (roots.Setting, roots.System) = (Renamed(roots.Setting, old, now), Renamed(roots.System, old, now));
            }

            for (var i = 0; i < (message.Nodes?.Nodes.Count ?? 0); i++)
            {
                var node = message.Nodes!.Nodes[i];
                if (node.Equals(before))
                    message.Nodes.Nodes[i] = after;
                else if (Renamed(node, old, now) is var renamed && renamed != node)
                    Replace(messages, node, renamed);
            }
        }
    }

    private static ByteString Renamed(ByteString bytes, byte[] old, byte[] now)
    {
        var at = bytes.Span.IndexOf(old);
        return at < 0 ? bytes : ByteString.CopyFrom([.. bytes.Span[..at], .. now, .. bytes.Span[(at + old.Length)..]]);
    }

    private byte[] Cut(byte[] bytes) => bytes[..random.Next(bytes.Length + 1)];

    private byte[] Flipped(byte[] bytes)
    {
        for (var left = random.Next(1, 4); left > 0 && bytes.Length > 0; left--)
            bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
        return bytes;
    }

    private static V1.ConnectRequest Parsed(byte[] bytes) => V1.ConnectRequest.Parser.ParseFrom(bytes);

    private T One<T>(IReadOnlyList<T> items) => items[random.Next(items.Count)];
}

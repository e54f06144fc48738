using Telemetry.Protocol.Configuration;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Policies;

/// <summary>Takes a policy from a person: what every agent of the fleet is going to be told must be right before it is kept.</summary>
internal static class PolicyText
{
    /// <summary>Far beyond what people write, and well below what an agent takes in one message.</summary>
    private const int MaxLength = 512 * 1024;

    /// <param name="source">Names the text in mistakes.</param>
    /// <exception cref="ConfigurationException">With all mistakes at once.</exception>
    public static Policy Parse(string text, string source)
    {
        if (text.Length > MaxLength)
            throw new ConfigurationException([$"{source}: a policy of {text.Length} characters; {MaxLength} is the limit."]);

        // What is kept is shown again as it is: it must not talk to terminals.
        var unshowable = Unshowable(text).Select(line => $"{source}:{line}: has a control character; only tabs and line ends are allowed.").ToList();
        if (unshowable.Count > 0)
            throw new ConfigurationException(unshowable);

        var policy = PolicyFile.Parse(text, source);
        try
        {
            // As an agent reads it.
            policy.ToMessage().ToModel();
            return policy;
        }
        catch (BadMessageException e)
        {
            throw new ConfigurationException([$"{source}: no agent would take it. {e.Message}"]);
        }
    }

    private static IEnumerable<int> Unshowable(string text) =>
        text.Split('\n')
            .Select((line, index) => (Line: line.TrimEnd('\r'), Number: index + 1))
            .Where(line => line.Line.Any(letter => char.IsControl(letter) && letter != '\t'))
            .Select(line => line.Number);
}

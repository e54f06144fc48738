using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Protocol.Tests.Model;

/// <summary>The model references nothing: no messages, no files, no network, no clock.</summary>
public sealed class DependencyTests
{
    private const string ModelNamespace = "Telemetry.Protocol.Model";

    private static readonly string[] Forbidden =
    [
        "Google.Protobuf", "Grpc", "System.IO", "System.Net", "System.Text.Json", "System.Threading.Tasks", "System.Diagnostics.Process",
        "Telemetry.Protocol.V1", "Telemetry.Protocol.Mapping", "Telemetry.Protocol.Files", "Telemetry.Protocol.Text",
    ];

    [Fact]
    public void Model_InItsCode_ReferencesNothingForbidden() =>
        Assert.DoesNotContain(ReferencesOf(ModelNamespace), reference => Forbidden.Any(reference.IsTo));

    [Fact]
    public void MappingAndText_InTheirCode_ReadAndSendNothing() =>
        Assert.DoesNotContain(ReferencesOf("Telemetry.Protocol.Mapping").Concat(ReferencesOf("Telemetry.Protocol.Text")), reference => reference.IsTo("System.IO") || reference.IsTo("System.Net") || reference.IsTo("Grpc"));

    [Fact]
    public void References_OfFiles_AreSeenByThisTest()
    {
        // So that the tests above cannot pass by seeing nothing.
        var references = ReferencesOf("Telemetry.Protocol.Files");

        Assert.Contains(references, reference => reference.To == "System.IO.FileStream");
        Assert.Contains(references, reference => reference.IsTo("Google.Protobuf"));
        Assert.Contains(ReferencesOf(ModelNamespace), reference => reference.To == "System.Security.Cryptography.SHA256");
    }

    private static IReadOnlyList<CodeReference> ReferencesOf(string @namespace) => CodeReference.AllOf(typeof(EntryKey).Assembly, @namespace);
}

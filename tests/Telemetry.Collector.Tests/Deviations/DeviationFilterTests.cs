using Grpc.Core;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Policies;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Deviations;

/// <summary>Of whom deviations are listed. Of what there is not, none is an error and no peace.</summary>
public sealed class DeviationFilterTests : IDisposable
{
    private readonly Collector _collector = new();
    private readonly DeviationGrpcService _service;

    public DeviationFilterTests()
    {
        new CertifiedInstance(_collector).Tamper();
        _service = new DeviationGrpcService(_collector.Store, _collector.Feed, _collector.Decisions, null!);
    }

    public void Dispose() => _collector.Dispose();

    [Theory]
    [InlineData("web-1", "", "")]
    [InlineData("", "shop", "")]
    [InlineData("", "shop:1", "base")]
    public async Task Filter_ByWhatThereIs_ListsIt(string instance, string layer, string owner) =>
        Assert.Single((await List(instance, layer, owner)).Deviations);

    [Theory]
    [InlineData("shopp", "", "There is no layer or baseline 'shopp'; there are shop:1.")]
    [InlineData("shop:2", "", "There is no layer or baseline 'shop:2'; there are shop:1.")]
    [InlineData("", "acme", "There is no owner 'acme'; there are base.")]
    public async Task Filter_ByWhatThereIsNot_IsRefusedWithWhatThereIs(string layer, string owner, string message)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(() => List("", layer, owner));

        Assert.Equal(StatusCode.NotFound, refused.StatusCode);
        Assert.StartsWith(message, refused.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_OfWhatThereIsNot_IsRefusedAtOnce()
    {
        await Assert.ThrowsAsync<UnknownInstanceException>(() => _service.WatchDeviations(new V1.WatchDeviationsRequest { InstanceId = "i-9" }, null!, null!));
        await Assert.ThrowsAsync<RpcException>(() => _service.WatchDeviations(new V1.WatchDeviationsRequest { Owner = "acme" }, null!, null!));
    }

    private Task<V1.ListDeviationsResponse> List(string instance, string layer, string owner) =>
        _service.ListDeviations(new V1.ListDeviationsRequest { InstanceId = instance, Layer = layer, Owner = owner }, null!);
}

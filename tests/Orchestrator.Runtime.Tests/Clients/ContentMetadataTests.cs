using Orchestrator.Runtime.Clients;

namespace Orchestrator.Runtime.Tests.Clients;

public sealed class ContentMetadataTests
{
    /// <summary>Regression: kube-apiserver says null for no items here, where it says [] everywhere else, and no app could be deleted.</summary>
    [Fact]
    public async Task No_items_may_be_null()
    {
        using var wire = new StubWire(_ => StubWire.Json(
            new { kind = "PartialObjectMetadataList", apiVersion = "meta.k8s.io/v1", metadata = new { resourceVersion = "7" }, items = (object?)null }));
        using var client = wire.Client();
        var ofInformer = await ContentMetadata.OfSecrets(client).ListAsync(null, null, TestContext.Current.CancellationToken);

        Assert.Equal(("7", 0), (ofInformer.Metadata.ResourceVersion, ofInformer.Items.Count));
        Assert.Empty((await ContentMetadata.OfConfigMaps(client).ListAsync(null, null, TestContext.Current.CancellationToken)).Items);
        Assert.Empty(await new ContentClient(client, "test").ListSecretsAsync("default", "a=b", TestContext.Current.CancellationToken));
    }
}

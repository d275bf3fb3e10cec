using System.Net;
using Orchestrator.ApiServer.Storage;

namespace Orchestrator.ApiServer.Tests;

public sealed class EmbeddedApiServerTests : IAsyncLifetime
{
    private readonly ServerUnderTest _server = new();

    public ValueTask InitializeAsync() => _server.InitializeAsync();

    [Fact]
    public async Task A_second_server_on_the_same_folder_is_refused()
    {
        var refused = await Assert.ThrowsAsync<DataFolderInUseException>(() => ServerUnderTest.StartAsync(_server.DataFolder));
        Assert.Contains(_server.DataFolder, refused.Message, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await _server.GetAsync("/readyz")).Code);
    }

    [Fact]
    public async Task After_a_restart_objects_revisions_and_keys_are_the_same()
    {
        var apps = await _server.WebAppAsync();
        var before = await _server.GetAsync(apps + "/web");
        var (kubeconfig, token) = (await ReadAsync("admin.token"), await ReadAsync("pki/ca.crt"));
        var lists = (await _server.GetAsync("/apis/orchestrator.dev/v1/webapps")).Revision;
        await _server.Server.DisposeAsync();
        await _server.InitializeAsync();
        Assert.Equal(before.Body.ToJsonString(), (await _server.GetAsync(apps + "/web")).Body.ToJsonString());
        Assert.Equal((kubeconfig, token), (await ReadAsync("admin.token"), await ReadAsync("pki/ca.crt")));
        Assert.Equal(lists, (await _server.GetAsync("/apis/orchestrator.dev/v1/webapps")).Revision);
    }

    [Fact]
    public async Task A_stop_ends_watches_at_once()
    {
        using var watch = await Watching.WatchStream.OpenAsync(_server.Admin, "/api/v1/namespaces?watch=1&resourceVersion=0", null);
        await watch.ReadAsync(4);
        await _server.Server.DisposeAsync();
        Assert.Null(await watch.NextAsync());
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private Task<string> ReadAsync(string file) =>
        File.ReadAllTextAsync(Path.Combine(_server.DataFolder, file), TestContext.Current.CancellationToken);
}

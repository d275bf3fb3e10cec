using System.Net;

namespace Orchestrator.ApiServer.Tests.Watching;

/// <summary>Watches as clients see them, over HTTP.</summary>
public sealed class WatchTests(ServerUnderTest server) : IClassFixture<ServerUnderTest>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_watch_from_a_revision_tells_what_came_after_it()
    {
        var maps = await MapsAsync();
        await CreateAsync(maps, "before");
        var revision = (await server.GetAsync(maps)).Revision;
        await CreateAsync(maps, "a");
        using var watch = await OpenAsync($"{maps}?watch=1&resourceVersion={revision}");
        await server.MergeAsync(maps + "/a", """{"data":{"x":"y"}}""");
        await server.DeleteAsync(maps + "/a");
        Assert.Equal(["ADDED a", "MODIFIED a", "DELETED a"], await watch.ReadAsync(3));
        Assert.True(watch.RevisionsRise);
    }

    [Fact]
    public async Task A_watch_without_a_revision_first_tells_what_is_there()
    {
        var maps = await MapsAsync();
        await CreateAsync(maps, "a");
        using var watch = await OpenAsync($"{maps}?watch=1&resourceVersion=0");
        Assert.Equal(["ADDED a"], await watch.ReadAsync(1));
        await CreateAsync(maps, "b");
        Assert.Equal(["ADDED b"], await watch.ReadAsync(1));
    }

    [Fact]
    public async Task A_watch_list_ends_its_first_part_with_a_bookmark()
    {
        var maps = await MapsAsync();
        await CreateAsync(maps, "a");
        await CreateAsync(maps, "b");
        using var watch = await OpenAsync(
            $"{maps}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
        Assert.Equal(["ADDED a", "ADDED b", "BOOKMARK "], await watch.ReadAsync(3));
        Assert.Equal("true", watch.Last["object"]!["metadata"]!["annotations"]!["k8s.io/initial-events-end"]!.GetValue<string>());
        Assert.Equal((await server.GetAsync(maps)).Revision, watch.Last["object"]!["metadata"]!["resourceVersion"]!.GetValue<string>());
        await server.DeleteAsync(maps + "/a");
        Assert.Equal(["DELETED a"], await watch.ReadAsync(1));
    }

    [Fact]
    public async Task Objects_appear_and_disappear_as_they_start_and_stop_to_match()
    {
        var maps = await MapsAsync();
        using var watch = await OpenAsync($"{maps}?watch=1&labelSelector=on%3Dyes&resourceVersion={(await server.GetAsync(maps)).Revision}");
        await CreateAsync(maps, "a");
        await server.MergeAsync(maps + "/a", """{"metadata":{"labels":{"on":"yes"}}}""");
        await server.MergeAsync(maps + "/a", """{"data":{"x":"y"}}""");
        var off = await server.MergeAsync(maps + "/a", """{"metadata":{"labels":{"on":"no"}}}""");
        Assert.Equal(["ADDED a", "MODIFIED a", "DELETED a"], await watch.ReadAsync(3));
        Assert.Equal(off.Revision, watch.Last["object"]!["metadata"]!["resourceVersion"]!.GetValue<string>());
        Assert.Equal("yes", watch.Last["object"]!["metadata"]!["labels"]!["on"]!.GetValue<string>());
        await server.MergeAsync(maps + "/a", """{"metadata":{"labels":{"on":"yes"}}}""");
        await server.DeleteAsync(maps + "/a");
        Assert.Equal(["ADDED a", "DELETED a"], await watch.ReadAsync(2));
    }

    [Fact]
    public async Task A_watch_ends_when_its_time_is_over()
    {
        var maps = await MapsAsync();
        using var watch = await OpenAsync($"{maps}?watch=1&timeoutSeconds=1");
        Assert.Null(await watch.NextAsync());
    }

    [Fact]
    public async Task A_table_watch_gives_the_columns_once()
    {
        var maps = await MapsAsync();
        await CreateAsync(maps, "a");
        using var watch = await OpenAsync($"{maps}?watch=1", "application/json;as=Table;v=v1;g=meta.k8s.io");
        await watch.ReadAsync(1);
        Assert.NotEmpty(watch.Last["object"]!["columnDefinitions"]!.AsArray());
        await CreateAsync(maps, "b");
        await watch.ReadAsync(1);
        Assert.Null(watch.Last["object"]!["columnDefinitions"]);
        Assert.Equal("b", watch.Last["object"]!["rows"]![0]!["cells"]![0]!.GetValue<string>());
    }

    [Fact]
    public async Task A_revision_that_was_never_given_is_expired()
    {
        using var response = await server.Admin.GetAsync("/api/v1/configmaps?watch=1&resourceVersion=99999999", Cancelled);
        Assert.Equal(HttpStatusCode.Gone, response.StatusCode);
        Assert.Equal("Expired", (await Reply.ReadAsync(response)).Reason);
    }

    [Fact]
    public async Task Initial_events_need_the_right_match()
    {
        using var response = await server.Admin.GetAsync("/api/v1/configmaps?watch=1&sendInitialEvents=true", Cancelled);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
    }

    [Fact]
    public async Task Every_watcher_sees_every_change_once_and_in_order_while_many_write()
    {
        const int Writers = 6, Increments = 20, Watchers = 4;
        var maps = await MapsAsync();
        await server.PostAsync(maps, """{"metadata":{"name":"counter"},"data":{"n":"0"}}""");
        var revision = (await server.GetAsync(maps)).Revision;
        var watches = new List<WatchStream>();
        for (var i = 0; i < Watchers; i++)
        {
            watches.Add(await OpenAsync($"{maps}?watch=1&resourceVersion={revision}"));
        }

        await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => IncrementAsync(maps + "/counter", Increments)));
        foreach (var watch in watches)
        {
            var seen = new List<int>();
            while (seen.Count < Writers * Increments)
            {
                await watch.ReadAsync(1);
                seen.Add(int.Parse(watch.Last["object"]!["data"]!["n"]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture));
            }

            Assert.Equal(Enumerable.Range(1, Writers * Increments), seen);
            Assert.True(watch.RevisionsRise);
            watch.Dispose();
        }
    }

    private async Task IncrementAsync(string path, int times)
    {
        while (times > 0)
        {
            var current = await server.GetAsync(path);
            var next = int.Parse(current.Text("data.n")!, System.Globalization.CultureInfo.InvariantCulture) + 1;
            current.Body["data"]!["n"] = next.ToString(System.Globalization.CultureInfo.InvariantCulture);
            var written = await server.PutAsync(path, current.Body.ToJsonString());
            Assert.True(written.Code is HttpStatusCode.OK or HttpStatusCode.Conflict, written.Message);
            times -= written.Code == HttpStatusCode.OK ? 1 : 0;
        }
    }

    private async Task<string> MapsAsync() => $"/api/v1/namespaces/{await server.NamespaceAsync()}/configmaps";

    private async Task CreateAsync(string maps, string name) =>
        Assert.Equal(HttpStatusCode.Created, (await server.PostAsync(maps, $$$$"""{"metadata":{"name":"{{{{name}}}}"}}""")).Code);

    private Task<WatchStream> OpenAsync(string path, string? accept = null) => WatchStream.OpenAsync(server.Admin, path, accept);
}

using System.Net;

namespace Orchestrator.ApiServer.Tests.Rest;

public sealed class ListTests(ServerUnderTest server) : IClassFixture<ServerUnderTest>
{
    [Fact]
    public async Task A_list_in_pieces_shows_one_revision_whatever_is_written_meanwhile()
    {
        var maps = await MapsAsync("a", "b", "c", "d", "e");
        var first = await server.GetAsync(maps + "?limit=2");
        Assert.Equal(["a", "b"], first.ItemNames);
        Assert.Equal("3", first.Text("metadata.remainingItemCount"));

        await server.DeleteAsync(maps + "/c");
        await server.PostAsync(maps, Map("bb"));
        await server.MergeAsync(maps + "/d", """{"data":{"new":"yes"}}""");

        var second = await server.GetAsync(maps + "?limit=2&continue=" + first.Text("metadata.continue"));
        Assert.Equal(["c", "d"], second.ItemNames);
        Assert.Null(second.Body["items"]![1]!["data"]);
        Assert.Equal(first.Revision, second.Revision);
        var third = await server.GetAsync(maps + "?limit=2&continue=" + second.Text("metadata.continue"));
        Assert.Equal(["e"], third.ItemNames);
        Assert.Null(third.Text("metadata.continue"));

        Assert.Equal(["a", "b", "bb", "d", "e"], (await server.GetAsync(maps)).ItemNames);
        Assert.Equal(
            ["a", "b", "c", "d", "e"],
            (await server.GetAsync($"{maps}?resourceVersion={first.Revision}&resourceVersionMatch=Exact")).ItemNames);
    }

    [Theory]
    [InlineData("labelSelector=tier%3Dfront", "a,b")]
    [InlineData("labelSelector=tier%20in%20(front,back),!old", "a,c")]
    [InlineData("labelSelector=tier%20notin%20(front)", "c,d")]
    [InlineData("fieldSelector=metadata.name%3Db", "b")]
    [InlineData("fieldSelector=metadata.name!%3Db", "a,c,d")]
    [InlineData("labelSelector=tier&limit=2", "a,b")]
    public async Task Lists_are_narrowed_by_labels_and_fields(string query, string expected)
    {
        var maps = await MapsAsync();
        await server.PostAsync(maps, Map("a", "tier", "front"));
        await server.PostAsync(maps, """{"metadata":{"name":"b","labels":{"tier":"front","old":"1"}}}""");
        await server.PostAsync(maps, Map("c", "tier", "back"));
        await server.PostAsync(maps, Map("d"));
        Assert.Equal(expected.Split(','), (await server.GetAsync($"{maps}?{query}")).ItemNames);
    }

    [Fact]
    public async Task Events_are_found_by_what_they_are_about()
    {
        var events = $"/api/v1/namespaces/{await server.NamespaceAsync()}/events";
        foreach (var (name, about) in new[] { ("one", "web"), ("two", "db") })
        {
            var made = await server.PostAsync(
                events,
                $$$"""
                {"metadata":{"name":"{{{name}}}"},"involvedObject":{"kind":"WebApp","name":"{{{about}}}","namespace":"{{{events.Split('/')[4]}}}"},"reason":"Test"}
                """);
            Assert.Equal(HttpStatusCode.Created, made.Code);
        }

        var found = await server.GetAsync(events + "?fieldSelector=involvedObject.name%3Dweb,involvedObject.kind%3DWebApp");
        Assert.Equal(["one"], found.ItemNames);
    }

    [Theory]
    [InlineData("labelSelector=a%20in%20(", 400, "BadRequest")]
    [InlineData("fieldSelector=spec.image%3Dx", 400, "BadRequest")]
    [InlineData("resourceVersion=abc", 400, "BadRequest")]
    [InlineData("continue=nonsense", 400, "BadRequest")]
    [InlineData("resourceVersionMatch=Exact", 422, "Invalid")]
    [InlineData("resourceVersion=99999999", 504, "Timeout")]
    public async Task What_cannot_be_listed_is_refused(string query, int code, string reason)
    {
        var reply = await server.GetAsync("/api/v1/namespaces/default/configmaps?" + query);
        Assert.Equal((code, reason), ((int)reply.Code, reply.Reason));
    }

    [Fact]
    public async Task Tables_and_metadata_alone_are_given_as_asked()
    {
        var maps = await MapsAsync("a");
        var table = await server.GetAsync(maps, "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
        Assert.Equal("Table", table.Text("kind"));
        Assert.Equal("a", table.Body["rows"]![0]!["cells"]![0]!.GetValue<string>());
        Assert.NotNull(table.Text("metadata.resourceVersion"));

        var partial = await server.GetAsync(maps, "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io");
        Assert.Equal("PartialObjectMetadataList", partial.Text("kind"));
        Assert.Equal(["a"], partial.ItemNames);
        Assert.Equal(HttpStatusCode.NotAcceptable, (await server.GetAsync(maps, "text/html")).Code);
    }

    [Theory]
    [InlineData("/api/v1/nodes", 404)]
    [InlineData("/apis/orchestrator.dev/v2/webapps", 404)]
    [InlineData("/apis/orchestrator.dev/v1/webapps/web", 404)]
    [InlineData("/apis/orchestrator.dev/v1/namespaces/default/dockerhosts", 404)]
    [InlineData("/api/v1/namespaces/default/configmaps/none/status", 404)]
    [InlineData("/version", 200)]
    [InlineData("/", 200)]
    [InlineData("/api", 200)]
    [InlineData("/apis", 200)]
    [InlineData("/apis/orchestrator.dev", 200)]
    [InlineData("/apis/orchestrator.dev/v1", 200)]
    [InlineData("/openapi/v2", 200)]
    [InlineData("/openapi/v3", 200)]
    [InlineData("/openapi/v3/apis/orchestrator.dev/v1", 200)]
    [InlineData("/openapi/v3/apis/none/v1", 404)]
    public async Task Paths_are_served_or_not_found(string path, int code) => Assert.Equal(code, (int)(await server.GetAsync(path)).Code);

    private async Task<string> MapsAsync(params string[] names)
    {
        var maps = $"/api/v1/namespaces/{await server.NamespaceAsync()}/configmaps";
        foreach (var name in names)
        {
            await server.PostAsync(maps, Map(name));
        }

        return maps;
    }

    private static string Map(string name, string label = "l", string value = "v") =>
        $$$$"""{"metadata":{"name":"{{{{name}}}}","labels":{"{{{{label}}}}":"{{{{value}}}}"}}}""";
}

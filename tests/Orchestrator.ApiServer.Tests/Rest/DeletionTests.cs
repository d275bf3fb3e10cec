using System.Net;

namespace Orchestrator.ApiServer.Tests.Rest;

public sealed class DeletionTests(ServerUnderTest server) : IClassFixture<ServerUnderTest>
{
    [Fact]
    public async Task An_object_without_finalizers_goes_at_once()
    {
        var apps = await server.WebAppAsync();
        var uid = (await server.GetAsync(apps + "/web")).Text("metadata.uid");
        var gone = await server.DeleteAsync(apps + "/web");
        Assert.Equal(("Status", "Success", uid), (gone.Text("kind"), gone.Text("status"), gone.Text("details.uid")));
        Assert.Equal(HttpStatusCode.NotFound, (await server.DeleteAsync(apps + "/web")).Code);
    }

    [Fact]
    public async Task An_object_with_finalizers_goes_with_the_last_of_them()
    {
        var apps = await server.WebAppAsync(""","finalizers":["a.dev/x","a.dev/y"]""");
        var marked = await server.DeleteAsync(apps + "/web");
        Assert.NotNull(marked.Text("metadata.deletionTimestamp"));
        Assert.Equal("2", marked.Text("metadata.generation"));
        Assert.Equal(marked.Revision, (await server.DeleteAsync(apps + "/web")).Revision);

        var added = await server.MergeAsync(apps + "/web", """{"metadata":{"finalizers":["a.dev/x","a.dev/z"]}}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, added.Code);
        Assert.Contains("no new finalizers can be added if the object is being deleted", added.Message, StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.OK, (await server.MergeAsync(apps + "/web", """{"metadata":{"finalizers":["a.dev/x"]}}""")).Code);
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync(apps + "/web")).Code);
        Assert.Equal(HttpStatusCode.OK, (await server.MergeAsync(apps + "/web", """{"metadata":{"finalizers":null}}""")).Code);
        Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync(apps + "/web")).Code);
    }

    [Theory]
    [InlineData("""{"preconditions":{"uid":"other"}}""", "UID in precondition: other")]
    [InlineData("""{"preconditions":{"resourceVersion":"1"}}""", "ResourceVersion in precondition: 1")]
    public async Task Preconditions_that_fail_keep_the_object(string options, string message)
    {
        var apps = await server.WebAppAsync();
        var refused = await server.DeleteAsync(apps + "/web", options);
        Assert.Equal(HttpStatusCode.Conflict, refused.Code);
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync(apps + "/web")).Code);
    }

    [Fact]
    public async Task A_collection_is_deleted_by_selector()
    {
        var maps = $"/api/v1/namespaces/{await server.NamespaceAsync()}/configmaps";
        foreach (var (name, label) in new[] { ("a", "x"), ("b", "x"), ("c", "y") })
        {
            await server.PostAsync(maps, $$$$"""{"metadata":{"name":"{{{{name}}}}","labels":{"l":"{{{{label}}}}"}}}""");
        }

        Assert.Equal(["a", "b"], (await server.DeleteAsync(maps + "?labelSelector=l%20in%20(x)")).ItemNames);
        Assert.Equal(["c"], (await server.GetAsync(maps)).ItemNames);
    }

    [Fact]
    public async Task A_namespace_goes_when_its_contents_have_gone_and_takes_nothing_new_meanwhile()
    {
        var apps = await server.WebAppAsync(""","finalizers":["a.dev/x"]""");
        var space = apps.Split('/')[5];
        await server.PostAsync($"/api/v1/namespaces/{space}/secrets", """{"metadata":{"name":"s"}}""");
        Assert.Equal("Terminating", (await server.DeleteAsync("/api/v1/namespaces/" + space)).Text("status.phase"));

        var refused = await server.PostAsync($"/api/v1/namespaces/{space}/secrets", """{"metadata":{"name":"t"}}""");
        Assert.Equal(HttpStatusCode.Forbidden, refused.Code);
        Assert.Equal(
            $"secrets \"t\" is forbidden: unable to create new content in namespace {space} because it is being terminated", refused.Message);

        await Eventually.True(async () => (await server.GetAsync($"/api/v1/namespaces/{space}/secrets")).ItemNames.Any() is false);
        await Eventually.See(
            () => server.GetAsync("/api/v1/namespaces/" + space),
            seen => seen.Body.ToJsonString().Contains("webapps.orchestrator.dev has 1 resource instances", StringComparison.Ordinal));
        await server.MergeAsync(apps + "/web", """{"metadata":{"finalizers":null}}""");
        await Eventually.True(async () => (await server.GetAsync("/api/v1/namespaces/" + space)).Code == HttpStatusCode.NotFound);

        var missing = await server.PostAsync($"/api/v1/namespaces/{space}/secrets", """{"metadata":{"name":"t"}}""");
        Assert.Equal((HttpStatusCode.NotFound, $"namespaces \"{space}\" not found"), (missing.Code, missing.Message));
    }

    [Theory]
    [InlineData("default")]
    [InlineData("kube-system")]
    [InlineData("orchestrator-system")]
    public async Task Permanent_namespaces_stay(string name) =>
        Assert.Equal(HttpStatusCode.Forbidden, (await server.DeleteAsync("/api/v1/namespaces/" + name)).Code);

    [Theory]
    [InlineData("Background")]
    [InlineData("Foreground")]
    public async Task What_a_deleted_object_owned_goes_with_it_but_not_what_another_owns_too(string propagation)
    {
        var apps = await server.WebAppAsync();
        await server.PostAsync(apps, ServerUnderTest.WebApp("other"));
        var maps = await OwnedMapsAsync(apps, ("one", ["web"]), ("both", ["web", "other"]));
        await server.DeleteAsync($"{apps}/web?propagationPolicy={propagation}");
        await Eventually.True(async () => (await server.GetAsync(maps + "/one")).Code == HttpStatusCode.NotFound);
        await Eventually.True(async () => (await server.GetAsync(apps + "/web")).Code == HttpStatusCode.NotFound);
        await Eventually.See(
            () => server.GetAsync(maps + "/both"), seen => seen.Body["metadata"]!["ownerReferences"]!.AsArray().Count == 1);
    }

    [Fact]
    public async Task What_is_made_for_an_owner_that_is_already_gone_goes_too()
    {
        var maps = $"/api/v1/namespaces/{await server.NamespaceAsync()}/configmaps";
        await OwnedMapAsync(maps, "late", "a-uid-that-nobody-has");
        await Eventually.True(async () => (await server.GetAsync(maps + "/late")).Code == HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Orphans_stay_and_forget_their_owner()
    {
        var apps = await server.WebAppAsync();
        var maps = await OwnedMapsAsync(apps, ("one", ["web"]));
        await server.DeleteAsync(apps + "/web?propagationPolicy=Orphan");
        await Eventually.True(async () => (await server.GetAsync(apps + "/web")).Code == HttpStatusCode.NotFound);
        Assert.Null((await server.GetAsync(maps + "/one")).Body["metadata"]!["ownerReferences"]);
    }

    [Fact]
    public async Task In_the_foreground_an_owner_stays_until_what_blocks_it_has_gone()
    {
        var apps = await server.WebAppAsync();
        var maps = await OwnedMapsAsync(apps, ("one", ["web"]));
        await server.MergeAsync(maps + "/one", """{"metadata":{"finalizers":["a.dev/x"]}}""");
        await server.DeleteAsync(apps + "/web", """{"propagationPolicy":"Foreground"}""");
        await Eventually.True(async () => (await server.GetAsync(maps + "/one")).Text("metadata.deletionTimestamp") is not null);
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync(apps + "/web")).Code);
        await server.MergeAsync(maps + "/one", """{"metadata":{"finalizers":null}}""");
        await Eventually.True(async () => (await server.GetAsync(apps + "/web")).Code == HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("/api/v1/namespaces", "", "Foreground")]
    [InlineData("/api/v1/namespaces", "", "Orphan")]
    [InlineData("/apis/coordination.k8s.io/v1/namespaces/default/leases", "", "Foreground")]
    [InlineData("/apis/coordination.k8s.io/v1/namespaces/default/leases", "", "Orphan")]
    [InlineData("/api/v1/namespaces/default/events", ""","involvedObject":{"namespace":"default"}""", "Foreground")]
    [InlineData("/api/v1/namespaces/default/events", ""","involvedObject":{"namespace":"default"}""", "Orphan")]
    public async Task What_owns_nothing_goes_whatever_its_kind_and_the_propagation(string collection, string fields, string propagation)
    {
        var made = await server.PostAsync(collection, $$"""{"metadata":{"generateName":"goes-"}{{fields}}}""");
        var path = $"{collection}/{made.Name}";
        Assert.Equal(HttpStatusCode.OK, (await server.DeleteAsync($"{path}?propagationPolicy={propagation}")).Code);
        await Eventually.True(async () => (await server.GetAsync(path)).Code == HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("/apis/coordination.k8s.io/v1", "leases.coordination.k8s.io", "")]
    [InlineData("/api/v1", "events", ""","involvedObject":{"namespace":"SPACE"}""")]
    public async Task A_namespace_goes_with_the_last_finalizer_of_what_changes_often(string version, string resource, string fields)
    {
        var space = await server.NamespaceAsync();
        var path = $"{version}/namespaces/{space}/{resource.Split('.')[0]}";
        fields = fields.Replace("SPACE", space, StringComparison.Ordinal);
        await server.PostAsync(path, $$"""{"metadata":{"name":"held","finalizers":["a.dev/x"]}{{fields}}}""");
        await server.DeleteAsync("/api/v1/namespaces/" + space);
        await Eventually.See(
            () => server.GetAsync("/api/v1/namespaces/" + space),
            seen => seen.Body.ToJsonString().Contains(resource + " has 1 resource instances", StringComparison.Ordinal));
        await server.MergeAsync(path + "/held", """{"metadata":{"finalizers":null}}""");
        await Eventually.True(async () => (await server.GetAsync("/api/v1/namespaces/" + space)).Code == HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("""{"dryRun":"All"}""", 400, "dryRun")]
    [InlineData("""{"dryRun":["Some"]}""", 422, "Unsupported value: [\"Some\"]: supported values: \"All\"")]
    [InlineData("""{"preconditions":{"uid":5}}""", 400, "preconditions.uid")]
    [InlineData("""{"preconditions":{"resourceVersion":1}}""", 400, "preconditions.resourceVersion")]
    [InlineData("""{"preconditions":"uid"}""", 400, "preconditions")]
    [InlineData("""{"propagationPolicy":5}""", 400, "propagationPolicy")]
    [InlineData("""{"propagationPolicy":"Sideways"}""", 422, "Sideways")]
    [InlineData("""{"orphanDependents":"yes"}""", 400, "orphanDependents")]
    [InlineData("""{"kind":"WebApp","apiVersion":"orchestrator.dev/v1"}""", 400, "must be of type DeleteOptions")]
    [InlineData("[]", 400, "must be an object")]
    [InlineData("\"x\"", 400, "must be an object")]
    public async Task Options_that_make_no_sense_are_refused_and_nothing_is_deleted(string options, int code, string message)
    {
        var apps = await server.WebAppAsync();
        foreach (var path in (string[])[apps, apps + "/web"])
        {
            var refused = await server.DeleteAsync(path, options);
            Assert.Equal(code, (int)refused.Code);
            Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        }

        Assert.Null((await server.GetAsync(apps + "/web")).Text("metadata.deletionTimestamp"));
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync(apps + "/web")).Code);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"kind":"DeleteOptions","apiVersion":"orchestrator.dev/v1","gracePeriodSeconds":0,"preconditions":null,"dryRun":null}""")]
    [InlineData("""{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Background","preconditions":{"uid":null}}""")]
    public async Task Options_as_clients_send_them_are_taken(string options)
    {
        var apps = await server.WebAppAsync();
        Assert.Equal("Success", (await server.DeleteAsync(apps + "/web", options)).Text("status"));
    }

    private async Task<string> OwnedMapsAsync(string apps, params (string Name, string[] Owners)[] wanted)
    {
        var maps = $"/api/v1/namespaces/{apps.Split('/')[5]}/configmaps";
        foreach (var (name, owners) in wanted)
        {
            var uids = new List<string>();
            foreach (var owner in owners)
            {
                uids.Add((await server.GetAsync($"{apps}/{owner}")).Text("metadata.uid")!);
            }

            await OwnedMapAsync(maps, name, uids);
        }

        return maps;
    }

    private async Task OwnedMapAsync(string maps, string name, params IEnumerable<string> owners)
    {
        var references = owners.Select(uid =>
            $$"""{"apiVersion":"orchestrator.dev/v1","kind":"WebApp","name":"owner","uid":"{{uid}}","blockOwnerDeletion":true}""");
        var made = await server.PostAsync(
            maps, $$$"""{"metadata":{"name":"{{{name}}}","ownerReferences":[{{{string.Join(",", references)}}}]}}""");
        Assert.Equal(HttpStatusCode.Created, made.Code);
    }
}

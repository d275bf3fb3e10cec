using System.Net;
using System.Text;

namespace Orchestrator.ApiServer.Tests.Rest;

public sealed class WriteTests(ServerUnderTest server) : IClassFixture<ServerUnderTest>
{
    private const string Apps = "/apis/orchestrator.dev/v1/namespaces/default/webapps";

    [Fact]
    public async Task A_created_object_has_what_the_server_gives_and_defaults_and_no_status()
    {
        var apps = await server.WebAppAsync(""","labels":{"a":"b"}""");
        var app = await server.GetAsync(apps + "/web");
        Assert.Equal(HttpStatusCode.OK, app.Code);
        Assert.Equal("1", app.Text("metadata.generation"));
        Assert.Equal(36, app.Text("metadata.uid")!.Length);
        Assert.Matches("^20..-..-..T..:..:..Z$", app.Text("metadata.creationTimestamp"));
        Assert.Equal("8080", app.Text("spec.port"));
        Assert.Null(app.Body["status"]);
    }

    [Theory]
    [InlineData("""{"apiVersion":"orchestrator.dev/v1","kind":"WebApp","metadata":{"name":"x","resourceVersion":"5"},"spec":{"image":"a"}}""", 400, "BadRequest", "resourceVersion should not be set on objects to be created")]
    [InlineData("""{"apiVersion":"orchestrator.dev/v1","kind":"WebApp","metadata":{"name":"x","namespace":"other"},"spec":{"image":"a"}}""", 400, "BadRequest", "the namespace of the provided object does not match the namespace sent on the request")]
    [InlineData("""{"apiVersion":"orchestrator.dev/v2","kind":"WebApp","metadata":{"name":"x"},"spec":{"image":"a"}}""", 400, "BadRequest", "the API version in the data (orchestrator.dev/v2) does not match the expected API version (orchestrator.dev/v1)")]
    [InlineData("""{"apiVersion":"orchestrator.dev/v1","kind":"Replica","metadata":{"name":"x"},"spec":{"image":"a"}}""", 400, "BadRequest", "must be of type WebApp")]
    [InlineData("""{"metadata":{"name":"x"}}""", 400, "BadRequest", "Kind")]
    [InlineData("""[1]""", 400, "BadRequest", "must be an object")]
    [InlineData("""{"metadata":""", 400, "BadRequest", "")]
    [InlineData("""{"apiVersion":"orchestrator.dev/v1","kind":"WebApp","metadata":{"name":"Bad_Name"},"spec":{"image":"a"}}""", 422, "Invalid", "a lowercase RFC 1123 subdomain")]
    [InlineData("""{"apiVersion":"orchestrator.dev/v1","kind":"WebApp","metadata":{},"spec":{"image":"a"}}""", 422, "Invalid", "name or generateName is required")]
    [InlineData("""{"apiVersion":"orchestrator.dev/v1","kind":"WebApp","metadata":{"name":"x"},"spec":{"image":"a","replicas":-1}}""", 422, "Invalid", "spec.replicas: Invalid value: -1")]
    [InlineData("""{"apiVersion":"orchestrator.dev/v1","kind":"WebApp","metadata":{"name":"x"},"spec":{"image":"a","replicas":"three"}}""", 422, "Invalid", "spec.replicas")]
    public async Task What_cannot_be_created_is_refused_with_the_reason(string body, int code, string reason, string message)
    {
        var reply = await server.PostAsync(Apps, body);
        Assert.Equal(code, (int)reply.Code);
        Assert.Equal("Status", reply.Text("kind"));
        Assert.Equal("Failure", reply.Text("status"));
        Assert.Equal(reason, reply.Reason);
        Assert.Contains(message, reply.Message, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync(Apps + "/x")).Code);
    }

    [Fact]
    public async Task Unknown_and_duplicate_fields_are_errors_warnings_or_nothing_as_asked()
    {
        const string Body = """
            {"apiVersion":"orchestrator.dev/v1","kind":"WebApp","metadata":{"name":"fields"},"spec":{"image":"a","imagee":"b","port":1,"port":2}}
            """;
        var strict = await server.PostAsync(Apps + "?dryRun=All&fieldValidation=Strict", Body);
        Assert.Equal(HttpStatusCode.BadRequest, strict.Code);
        Assert.Equal("strict decoding error: duplicate field \"spec.port\", unknown field \"spec.imagee\"", strict.Message);

        var warned = await server.PostAsync(Apps + "?dryRun=All", Body);
        Assert.Equal(HttpStatusCode.Created, warned.Code);
        Assert.Equal(
            ["299 - \"duplicate field \\\"spec.port\\\"\"", "299 - \"unknown field \\\"spec.imagee\\\"\""], warned.Warnings);
        Assert.Null(warned.Text("spec.imagee"));

        Assert.Empty((await server.PostAsync(Apps + "?dryRun=All&fieldValidation=Ignore", Body)).Warnings);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await server.PostAsync(Apps + "?fieldValidation=Lax", Body)).Code);
        Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync(Apps + "/fields")).Code);
    }

    [Fact]
    public async Task Warnings_fit_into_the_headers_of_an_answer()
    {
        var fields = string.Join(',', Enumerable.Range(0, 50).Select(i => $"\"{new string('f', 900)}{i}\":1"));
        var warned = await server.PostAsync(
            Apps + "?dryRun=All",
            $$$"""{"apiVersion":"orchestrator.dev/v1","kind":"WebApp","metadata":{"name":"warned"},"spec":{"image":"a",{{{fields}}}}}""");
        Assert.Equal(HttpStatusCode.Created, warned.Code);
        Assert.InRange(warned.Warnings.Sum(warning => warning.Length), 2000, 5000);
    }

    [Fact]
    public async Task The_label_that_says_a_namespaces_name_cannot_be_removed()
    {
        var space = await server.NamespaceAsync();
        foreach (var labels in (string[])["null", """{"kubernetes.io/metadata.name":null}""", """{"kubernetes.io/metadata.name":"other"}"""])
        {
            var patched = await server.MergeAsync("/api/v1/namespaces/" + space, $$$"""{"metadata":{"labels":{{{labels}}}}}""");
            Assert.Equal(HttpStatusCode.OK, patched.Code);
            Assert.Equal(space, (string?)patched.Body["metadata"]!["labels"]!["kubernetes.io/metadata.name"]);
        }
    }

    [Fact]
    public async Task A_name_is_made_from_generateName_and_taken_names_are_refused()
    {
        var body = """{"metadata":{"generateName":"made-"}}""";
        var (first, second) = (
            await server.PostAsync("/api/v1/namespaces/default/configmaps", body),
            await server.PostAsync("/api/v1/namespaces/default/configmaps", body));
        Assert.Matches("^made-[b-z2-9]{5}$", first.Name);
        Assert.NotEqual(first.Name, second.Name);
        var again = await server.PostAsync("/api/v1/namespaces/default/configmaps", $$$"""{"metadata":{"name":"{{{first.Name}}}"}}""");
        Assert.Equal(HttpStatusCode.Conflict, again.Code);
        Assert.Equal("AlreadyExists", again.Reason);
        Assert.Equal($"configmaps \"{first.Name}\" already exists", again.Message);
    }

    [Theory]
    [InlineData(Apps, "a2345678901234567890123456789012345678901234-", "metadata.name: Too long")]
    [InlineData(Apps, "a.b-", "metadata.name: Invalid value: \"a.b-")]
    [InlineData("/api/v1/namespaces", "a.b-", "metadata.name: Invalid value: \"a.b-")]
    [InlineData("/api/v1/namespaces", "-", "metadata.name: Invalid value: \"-")]
    public async Task A_made_name_is_held_to_the_rules_of_names(string collection, string prefix, string message)
    {
        var reply = await server.PostAsync(
            collection,
            collection == Apps
                ? $$$"""{"apiVersion":"orchestrator.dev/v1","kind":"WebApp","metadata":{"generateName":"{{{prefix}}}"},"spec":{"image":"a"}}"""
                : $$$"""{"metadata":{"generateName":"{{{prefix}}}"}}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, reply.Code);
        Assert.Contains(message, reply.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_long_prefix_is_cut_so_that_a_made_name_is_a_label()
    {
        var made = await server.PostAsync("/api/v1/namespaces/default/configmaps", $$$"""{"metadata":{"generateName":"{{{new string('p', 80)}}}"}}""");
        Assert.Matches("^p{58}[b-z2-9]{5}$", made.Name);
    }

    [Fact]
    public async Task An_update_needs_the_revision_it_was_made_from()
    {
        var apps = await server.WebAppAsync();
        var app = await server.GetAsync(apps + "/web");
        var changed = app.Body.DeepClone().AsObject();
        changed["spec"]!["replicas"] = 5;
        var updated = await server.PutAsync(apps + "/web", changed.ToJsonString());
        Assert.Equal(HttpStatusCode.OK, updated.Code);
        Assert.Equal("2", updated.Text("metadata.generation"));

        changed["spec"]!["replicas"] = 6;
        var stale = await server.PutAsync(apps + "/web", changed.ToJsonString());
        Assert.Equal(HttpStatusCode.Conflict, stale.Code);
        Assert.Equal(
            "Operation cannot be fulfilled on webapps.orchestrator.dev \"web\": the object has been modified; please apply your changes to "
            + "the latest version and try again",
            stale.Message);

        changed["metadata"]!.AsObject().Remove("resourceVersion");
        var blind = await server.PutAsync(apps + "/web", changed.ToJsonString());
        Assert.Equal(HttpStatusCode.UnprocessableEntity, blind.Code);
        Assert.Contains("metadata.resourceVersion: Invalid value: 0: must be specified for an update", blind.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_write_that_changes_nothing_keeps_the_revision()
    {
        var apps = await server.WebAppAsync();
        var app = await server.GetAsync(apps + "/web");
        Assert.Equal(app.Revision, (await server.PutAsync(apps + "/web", app.Body.ToJsonString())).Revision);
        Assert.Equal(app.Revision, (await server.MergeAsync(apps + "/web", """{"spec":{"replicas":2}}""")).Revision);
        // What the server alone writes is put back, not refused.
        var forged = await server.MergeAsync(apps + "/web", """{"metadata":{"generation":9,"creationTimestamp":null,"managedFields":[]},"status":{"replicas":1}}""");
        Assert.Equal(app.Revision, forged.Revision);
    }

    [Fact]
    public async Task Status_and_spec_are_written_apart()
    {
        var apps = await server.WebAppAsync();
        var status = await server.MergeAsync(apps + "/web/status", """{"spec":{"replicas":9},"status":{"replicas":1},"metadata":{"labels":{"x":"y"}}}""");
        Assert.Equal(HttpStatusCode.OK, status.Code);
        Assert.Equal(("2", "1", "1"), (status.Text("spec.replicas"), status.Text("status.replicas"), status.Text("metadata.generation")));
        Assert.Null(status.Text("metadata.labels.x"));

        var spec = await server.MergeAsync(apps + "/web", """{"spec":{"replicas":3},"status":{"replicas":7}}""");
        Assert.Equal(("3", "1", "2"), (spec.Text("spec.replicas"), spec.Text("status.replicas"), spec.Text("metadata.generation")));
        var relabelled = await server.MergeAsync(apps + "/web", """{"metadata":{"labels":{"x":"y"}}}""");
        Assert.Equal("2", relabelled.Text("metadata.generation"));
    }

    [Theory]
    [InlineData("application/merge-patch+json", """{"spec":{"replicas":4}}""", 200, "")]
    [InlineData("application/json-patch+json", """[{"op":"replace","path":"/spec/replicas","value":4}]""", 200, "")]
    [InlineData("application/json-patch+json", """[{"op":"test","path":"/spec/replicas","value":77}]""", 422, "test failed")]
    [InlineData("application/merge-patch+json", """{"metadata":{"resourceVersion":"1"}}""", 409, "the object has been modified")]
    [InlineData("application/merge-patch+json", """{"metadata":{"uid":"1"}}""", 409, "Precondition failed: UID in precondition: 1")]
    [InlineData("application/merge-patch+json", """{"metadata":{"name":"other"}}""", 422, "field is immutable")]
    [InlineData("application/merge-patch+json", """{"spec":{"image":null}}""", 422, "spec.image: Required value")]
    [InlineData("application/strategic-merge-patch+json", """{"spec":{"replicas":4}}""", 415, "application/merge-patch+json")]
    [InlineData("application/apply-patch+yaml", """{"spec":{"replicas":4}}""", 415, "server-side apply is not supported")]
    [InlineData("text/plain", "x", 415, "accepted media types")]
    public async Task Patches_apply_or_say_why_not(string type, string patch, int code, string message)
    {
        var apps = await server.WebAppAsync();
        var reply = await server.SendAsync(HttpMethod.Patch, apps + "/web", patch, type);
        Assert.Equal(code, (int)reply.Code);
        Assert.Contains(message, reply.Message, StringComparison.Ordinal);
        Assert.Equal(code == 200 ? "4" : "2", (await server.GetAsync(apps + "/web")).Text("spec.replicas"));
    }

    [Fact]
    public async Task Core_kinds_take_strategic_patches_and_updates_without_a_revision()
    {
        const string Maps = "/api/v1/namespaces/default/configmaps";
        await server.PostAsync(Maps, """{"metadata":{"name":"core"},"data":{"a":"1"}}""");
        var patched = await server.SendAsync(
            HttpMethod.Patch, Maps + "/core", """{"data":{"b":"2"}}""", "application/strategic-merge-patch+json");
        Assert.Equal(("1", "2"), (patched.Text("data.a"), patched.Text("data.b")));
        var put = await server.PutAsync(Maps + "/core", """{"metadata":{"name":"core"},"data":{"c":"3"}}""");
        Assert.Equal(HttpStatusCode.OK, put.Code);
        Assert.Null(put.Text("data.a"));
    }

    [Fact]
    public async Task Scale_is_read_and_written_through_its_subresource()
    {
        var apps = await server.WebAppAsync();
        var scale = await server.GetAsync(apps + "/web/scale");
        Assert.Equal(("Scale", "autoscaling/v1", "2"), (scale.Text("kind"), scale.Text("apiVersion"), scale.Text("spec.replicas")));

        var patched = await server.MergeAsync(apps + "/web/scale", """{"spec":{"replicas":7}}""");
        Assert.Equal("7", patched.Text("spec.replicas"));
        Assert.Equal("7", (await server.GetAsync(apps + "/web")).Text("spec.replicas"));

        scale.Body["spec"]!["replicas"] = 8;
        Assert.Equal(HttpStatusCode.Conflict, (await server.PutAsync(apps + "/web/scale", scale.Body.ToJsonString())).Code);
        scale.Body["metadata"]!["resourceVersion"] = patched.Revision;
        Assert.Equal("8", (await server.PutAsync(apps + "/web/scale", scale.Body.ToJsonString())).Text("spec.replicas"));

        var negative = await server.MergeAsync(apps + "/web/scale", """{"spec":{"replicas":-1}}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, negative.Code);
        Assert.Contains("spec.replicas", negative.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PATCH", """{"spec":5}""", "spec in body must be of type object")]
    [InlineData("PATCH", """{"spec":{"replicas":"three"}}""", "spec.replicas in body must be of type integer")]
    [InlineData("PATCH", """{"metadata":5}""", "metadata in body must be of type object")]
    [InlineData("PATCH?fieldValidation=Strict", """{"spec":{"replica":5}}""", "strict decoding error: unknown field \"spec.replica\"")]
    [InlineData("PUT", """{"metadata":{"name":"web"},"spec":"x"}""", "spec in body must be of type object")]
    [InlineData("PUT?fieldValidation=Strict", """{"metadata":{"name":"web"},"spec":{"replica":5}}""", "strict decoding error: unknown field \"spec.replica\"")]
    public async Task A_scale_that_cannot_be_read_changes_nothing(string request, string body, string message)
    {
        var apps = await server.WebAppAsync();
        var (method, query) = (request.Split('?')[0], request.Split('?').Skip(1).FirstOrDefault());
        var refused = await server.SendAsync(
            HttpMethod.Parse(method), $"{apps}/web/scale?{query}", body, method == "PUT" ? "application/json" : "application/merge-patch+json");
        Assert.Equal(HttpStatusCode.BadRequest, refused.Code);
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.Equal("2", (await server.GetAsync(apps + "/web")).Text("spec.replicas"));
    }

    [Fact]
    public async Task Unknown_fields_of_a_scale_are_warned_of_beside_what_is_twice_in_the_body()
    {
        var apps = await server.WebAppAsync();
        var warned = await server.MergeAsync(apps + "/web/scale", """{"spec":{"replica":5,"replicas":3,"replicas":4}}""");
        Assert.Equal("4", warned.Text("spec.replicas"));
        Assert.Equal(
            ["299 - \"duplicate field \\\"spec.replicas\\\"\"", "299 - \"unknown field \\\"spec.replica\\\"\""], warned.Warnings);
    }

    [Fact]
    public async Task A_scale_without_replicas_is_zero_as_in_kubernetes()
    {
        var apps = await server.WebAppAsync();
        var scaled = await server.PutAsync(
            apps + "/web/scale", """{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"web","creationTimestamp":null},"spec":{},"status":null}""");
        Assert.Equal((HttpStatusCode.OK, "0"), (scaled.Code, scaled.Text("spec.replicas")));
    }

    [Fact]
    public async Task A_dry_run_checks_everything_and_stores_nothing()
    {
        var apps = await server.WebAppAsync();
        var before = await server.GetAsync(apps + "/web");
        Assert.Equal("9", (await server.MergeAsync(apps + "/web?dryRun=All", """{"spec":{"replicas":9}}""")).Text("spec.replicas"));
        Assert.Equal(HttpStatusCode.OK, (await server.DeleteAsync(apps + "/web?dryRun=All")).Code);
        Assert.Equal(HttpStatusCode.Conflict, (await server.PostAsync(apps + "?dryRun=All", ServerUnderTest.WebApp("web"))).Code);
        Assert.Equal(HttpStatusCode.Created, (await server.PostAsync(apps + "?dryRun=All", ServerUnderTest.WebApp("web2"))).Code);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await server.PostAsync(apps + "?dryRun=Some", ServerUnderTest.WebApp("web2"))).Code);
        var after = await server.GetAsync(apps);
        Assert.Equal(["web"], after.ItemNames);
        Assert.Equal(before.Revision, (await server.GetAsync(apps + "/web")).Revision);
    }

    [Fact]
    public async Task Yaml_is_read_and_a_bomb_of_aliases_is_refused()
    {
        var apps = $"/apis/orchestrator.dev/v1/namespaces/{await server.NamespaceAsync()}/webapps";
        var good = await server.SendAsync(
            HttpMethod.Post, apps, "apiVersion: orchestrator.dev/v1\nkind: WebApp\nmetadata: {name: yaml}\nspec: {image: a}\n", "application/yaml");
        Assert.Equal(HttpStatusCode.Created, good.Code);

        var bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (var i = 1; i < 12; i++)
        {
            bomb.Append(System.Globalization.CultureInfo.InvariantCulture, $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n");
        }

        var refused = await server.SendAsync(HttpMethod.Post, apps, bomb.ToString(), "application/yaml");
        Assert.True(refused.Code is HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge, refused.Message);
    }

    [Fact]
    public async Task A_body_of_10_MB_and_one_of_endless_depth_are_refused_with_words()
    {
        var large = await server.PostAsync("/api/v1/namespaces/default/configmaps", "{\"a\":\"" + new string('x', 10_000_000) + "\"}");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.Code);
        Assert.Equal("Request entity too large: limit is 3145728", large.Message);

        var deep = await server.PostAsync("/api/v1/namespaces/default/configmaps", new string('[', 100_000));
        Assert.Equal(HttpStatusCode.BadRequest, deep.Code);
    }

    [Fact]
    public async Task Patches_cannot_make_an_object_larger_than_a_body_may_be()
    {
        const string Maps = "/api/v1/namespaces/default/events";
        await server.PostAsync(Maps, """{"metadata":{"name":"grows"},"involvedObject":{"namespace":"default"}}""");
        var half = new string('x', 1_800_000);
        Assert.Equal(HttpStatusCode.OK, (await server.MergeAsync(Maps + "/grows", $$"""{"message":"{{half}}"}""")).Code);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await server.MergeAsync(Maps + "/grows", $$"""{"reason":"{{half}}"}""")).Code);
    }

    [Fact]
    public async Task An_immutable_secret_stays_and_stringData_becomes_data()
    {
        const string Secrets = "/api/v1/namespaces/default/secrets";
        var made = await server.PostAsync(Secrets, """{"metadata":{"name":"fixed"},"immutable":true,"stringData":{"a":"b"}}""");
        Assert.Equal(("Yg==", "Opaque"), (made.Text("data.a"), made.Text("type")));
        Assert.Null(made.Body["stringData"]);
        var changed = await server.MergeAsync(Secrets + "/fixed", """{"stringData":{"a":"c"}}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, changed.Code);
        Assert.Contains("immutable", changed.Message, StringComparison.Ordinal);
        Assert.Equal(
            HttpStatusCode.UnprocessableEntity, (await server.PostAsync(Secrets, """{"metadata":{"name":"odd"},"data":{"a":"no base64!"}}""")).Code);
    }

    [Fact]
    public async Task Crds_are_there_established_and_read_only()
    {
        const string Crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        var list = await server.GetAsync(Crds);
        Assert.Equal(["dockerhosts.orchestrator.dev", "replicas.orchestrator.dev", "webapps.orchestrator.dev"], list.ItemNames);
        Assert.All(list.Body["items"]!.AsArray(), crd => Assert.Contains(
            crd!["status"]!["conditions"]!.AsArray(), each => (string?)each!["type"] == "Established" && (string?)each["status"] == "True"));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await server.DeleteAsync(Crds + "/webapps.orchestrator.dev")).Code);
    }
}

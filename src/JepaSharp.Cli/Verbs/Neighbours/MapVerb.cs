using System.CommandLine;
using System.Globalization;
using System.Text;
using JepaSharp.Cli.Display;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Neighbours;
using JepaSharp.Pictures;
using JepaSharp.Reports;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Verbs.Neighbours;

/// <summary><c>jepa map</c>: a page with all images laid out on a plane.</summary>
internal sealed class MapVerb : NeighbourVerb
{
    private const int GraphNeighbours = 15, ShownNeighbours = 12, LargeSet = 4000;

    private readonly Option<int> _clusters = new("--clusters") { Description = "Clusters (k-means).", DefaultValueFactory = _ => 10, HelpName = "N" };
    private readonly Option<int> _most = new("--max-images")
    {
        Description = "Most images on the map; of more, so many are drawn, always the same ones.",
        DefaultValueFactory = _ => 20_000,
        HelpName = "N",
    };
    private readonly Option<int> _seed = new("--seed") { Description = "Seed of layout and clusters.", DefaultValueFactory = _ => 0, HelpName = "N" };

    public MapVerb()
        : base("map", "Lays all images out on a page, like ones together: to be zoomed, moved and searched by a click.")
    {
        foreach (var option in (Option[])[_clusters, _most, _seed]) Add(option);
        _clusters.RequireAtLeast(1);
        _most.RequireAtLeast(3);
        _seed.RequireAtLeast(0);
        AddShared();
    }

    protected override NeighbourFindings Find(NeighbourWork work)
    {
        var seed = (ulong)work.Arguments.GetValue(_seed);
        var (features, vectors) = Drawn(work, work.Arguments.GetValue(_most));
        if (vectors.Rows < 3)
            throw new JepaException($"Found {Quantity.Of(vectors.Rows, "image")} that can be read; a map needs at least 3.", isUsage: true);
        using var search = work.Search(vectors);
        var graph = work.With("neighbours", vectors.Rows, progress => search.NearestOfEach(GraphNeighbours, progress, work.Stop.Token));
        var principal = NeighbourLayout.Principal(vectors);
        var passes = new CountProgress(work.Terminal, "layout", NeighbourLayout.PassesFor(vectors.Rows));
        var places = NeighbourLayout.Of(graph, principal, seed, passes, work.Stop.Token);
        passes.Finish();
        var clusters = KMeans.Fit(vectors, work.Arguments.GetValue(_clusters), seed);
        string[] names = [.. features.Indices.Select(work.Source.NameOf)];
        string?[] labels = [.. features.Indices.Select(i => work.Source.LabelOf(i) is { } label ? work.Source.Classes[label] : null)];
        var table = new StringBuilder("image,x,y,pca_x,pca_y,cluster,label\n");
        for (var i = 0; i < names.Length; i++)
            table.Append(CultureInfo.InvariantCulture, $"{Field(names[i])},{Number(places[2 * i])},{Number(places[(2 * i) + 1])},")
                .Append(CultureInfo.InvariantCulture, $"{Number(principal[2 * i])},{Number(principal[(2 * i) + 1])},{clusters.Labels[i] + 1},")
                .Append(labels[i] is { } label ? Field(label) : "").Append('\n');
        var sum = $"{Quantity.Of(names.Length, "image")} in {Quantity.Of(clusters.Count, "cluster")}";
        return new NeighbourFindings(table, sum, sum, path =>
        {
            var atlas = work.With("pictures", names.Length, progress => ThumbnailAtlas.Of(
                work.Source, features.Indices, names.Length > LargeSet ? 32 : 64, work.Has, progress, work.Stop.Token));
            MapPage.Write(path, new ImageMap(
                $"Map of {work.Source.Description}", $"By the {work.Input.Words}.", names, labels.Any(label => label is not null) ? labels : null,
                clusters, places, principal, First(graph, ShownNeighbours), atlas));
        });
    }

    private static (PooledFeatures Features, UnitVectors Vectors) Drawn(NeighbourWork work, int most)
    {
        if (work.Vectors.Rows <= most) return (work.Features, work.Vectors);
        var order = Enumerable.Range(0, work.Vectors.Rows).ToArray();
        new RandomStream(0, RandomPurpose.Split).Shuffle(order.AsSpan());
        int[] rows = [.. order[..most].Order()];
        work.Terminal.Error.WriteLine(
            $"note: {most:n0} of {work.Vectors.Rows:n0} images are on the map, drawn at random; --max-images sets another number.");
        var features = new PooledFeatures(work.Features.Matrix.Select(rows), Array.ConvertAll(rows, row => work.Features.Indices[row]));
        return (features, UnitVectors.Of(features.Matrix));
    }

    /// <summary>The first few of each image's neighbours.</summary>
    private static NeighbourLists First(NeighbourLists lists, int count)
    {
        if (lists.Count <= count) return lists;
        var images = lists.Rows.Length / lists.Count;
        T[] Cut<T>(T[] all) => [.. Enumerable.Range(0, images).SelectMany(i => all.AsSpan(i * lists.Count, count).ToArray())];
        return new NeighbourLists(count, Cut(lists.Rows), Cut(lists.Cosines));
    }
}

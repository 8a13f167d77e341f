using System.CommandLine;
using System.Globalization;
using System.Text;
using JepaSharp.Evaluation.Neighbours;
using JepaSharp.Reports;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Verbs.Neighbours;

/// <summary><c>jepa outliers</c>: the images that are least like any other.</summary>
internal sealed class OutliersVerb : NeighbourVerb
{
    private readonly Option<int> _neighbours = new("--k")
    {
        Description = "Nearest others whose distances are averaged.",
        DefaultValueFactory = _ => 10,
        HelpName = "N",
    };

    public OutliersVerb()
        : base("outliers", "Orders images by how far they are from their nearest others: what is odd, broken or out of place comes first.")
    {
        Add(_neighbours);
        _neighbours.RequireAtLeast(1);
        AddShared();
    }

    protected override NeighbourFindings Find(NeighbourWork work)
    {
        var count = Math.Min(work.Arguments.GetValue(_neighbours), Math.Max(1, work.Vectors.Rows - 1));
        using var search = work.Search();
        var ranked = work.With("neighbours", work.Vectors.Rows, progress => Outliers.Rank(search, count, progress, work.Stop.Token));
        string NameOf(int row) => work.Source.NameOf(work.Features.Indices[row]);
        var table = new StringBuilder("rank,image,distance,nearest\n");
        foreach (var (rank, image) in ranked.Index())
            table.Append(CultureInfo.InvariantCulture, $"{rank + 1},{Field(NameOf(image.Row))},{Number(image.Distance)},")
                .Append(image.Nearest < 0 ? "" : Field(NameOf(image.Nearest))).Append('\n');
        var how = $"mean of 1 - cosine over the {Quantity.Of(count, "nearest other", "nearest others")}";
        return new NeighbourFindings(table, $"{Quantity.Of(ranked.Count, "image")}, the oddest first ({how})", Shown(ranked.Count, "image", "images"),
            path => ThumbnailPage.Write(
                path, $"The oddest images of {work.Source.Description}",
                [$"By the {work.Input.Words}. Beside each image its distance: the {how}."],
                [new PictureRow($"{Shown(ranked.Count, "image", "images")}, the oddest first", [.. ranked.Take(MostRows).Select(
                    image => Note(work.Source, work.Features.Indices[image.Row], image.Distance.ToString("F3", CultureInfo.InvariantCulture)))])]));
    }
}

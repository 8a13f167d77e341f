using System.CommandLine;
using System.Globalization;
using System.Text;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Neighbours;
using JepaSharp.Reports;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Verbs.Neighbours;

/// <summary><c>jepa duplicates</c>: groups of images that are nearly or exactly the same, and which of each to keep.</summary>
internal sealed class DuplicatesVerb : NeighbourVerb
{
    private readonly Option<double?> _threshold = new("--threshold")
    {
        Description = "The least cosine of near-duplicates, up to 1. If not given: measured on altered copies of up to 200 of the images.",
        HelpName = "COSINE",
    };
    private readonly Option<double?> _pictures = new("--picture-threshold")
    {
        Description = "The least correlation of their small pictures (12 x 12 colours), up to 1; -1 lets the encoder alone decide. If not given: "
            + "measured on the same copies.",
        HelpName = "R",
    };

    public DuplicatesVerb()
        : base("duplicates", "Finds images that are nearly or exactly the same, in groups, and says which of each group to keep. Removes nothing.")
    {
        Add(_threshold);
        Add(_pictures);
        AddShared();
    }

    protected override bool SeesWholeImages => true;

    protected override void Check(ParseResult arguments)
    {
        if (arguments.GetValue(_threshold) is { } cosine && cosine is not (> -1 and <= 1))
            throw new JepaException(
                $"--threshold {cosine.ToString(CultureInfo.InvariantCulture)}: expected a cosine, above -1 and at most 1.", isUsage: true);
        if (arguments.GetValue(_pictures) is { } correlation && correlation is not (>= -1 and <= 1))
            throw new JepaException(
                $"--picture-threshold {correlation.ToString(CultureInfo.InvariantCulture)}: expected a correlation, -1 to 1.", isUsage: true);
        if (arguments.GetValue(_threshold) is null && ReadsEmbeddings(arguments))
            throw new JepaException(
                "Without the encoder it cannot be measured how alike near-duplicates are: give --threshold COSINE with --embeddings, 0.95 to begin "
                    + "with, or --weights and --data.", isUsage: true);
    }

    protected override NeighbourFindings Find(NeighbourWork work)
    {
        var pictures = DuplicatePictures.Of(work, work.Arguments.GetValue(_pictures));
        var threshold = Threshold(work, pictures, out var chosen);
        using var search = work.Search();
        var groups = work.With("compared", work.Vectors.Rows,
            progress => Duplicates.Find(search, work.Source, work.Features.Indices, pictures, threshold, progress, work.Stop.Token));
        var spare = groups.Sum(group => group.Spare);
        var exact = groups.Sum(group => group.Images.Skip(1).Count(image => image.IsExact));
        var table = new StringBuilder("group,image,keep,similarity,picture,exact,pixels,width,height,bytes\n");
        foreach (var (number, group) in groups.Index())
        {
            foreach (var (place, image) in group.Images.Index())
                table.Append(CultureInfo.InvariantCulture, $"{number + 1},{Field(work.Source.NameOf(work.Features.Indices[image.Row]))},")
                    .Append(place == 0 ? "true," : "false,").Append(Number(image.Cosine)).Append(',')
                    .Append(double.IsNaN(image.Correlation) ? "" : Number(image.Correlation))
                    .Append(image.IsExact ? ",true," : ",false,")
                    .Append(CultureInfo.InvariantCulture, $"{image.Pixels},{image.Width},{image.Height},{image.Bytes}\n");
        }

        var sum = string.Create(CultureInfo.InvariantCulture,
            $"{Quantity.Of(groups.Count, "group")} of near-duplicates; {Quantity.Of(spare, "image")} could go, {exact:n0} of them the same pixel for "
                + $"pixel");
        return new NeighbourFindings(table, sum, Shown(groups.Count, "group", "groups"), path => ThumbnailPage.Write(
            path, $"Near-duplicates in {work.Source.Description}",
            [sum + ".", chosen, "The first of each group, with the most pixels, then the largest file, then the first name, is the one to keep."],
            [.. groups.Take(MostRows).Index().Select(group => new PictureRow(
                $"group {group.Index + 1}",
                [.. group.Item.Images.Take(MostRows).Index().Select(image => Note(
                    work.Source, work.Features.Indices[image.Item.Row], Caption(image.Item, isKept: image.Index == 0),
                    marked: image.Index == 0))]))]));
    }

    private DuplicateThreshold Threshold(NeighbourWork work, FeatureMatrix? pictures, out string sentence)
    {
        var (cosine, correlation) = (work.Arguments.GetValue(_threshold), work.Arguments.GetValue(_pictures));
        var measured = pictures is null || (cosine is not null && correlation is not null)
            ? new DuplicateThreshold(0, -1, 0)
            : work.Input.Session is { } session
                ? DuplicateThreshold.Measure(session.Kind, work.Source, session.EvaluationTransform, work.Features.Indices, work.Vectors, pictures,
                    cancellation: work.Stop.Token)
                : DuplicateThreshold.OfPictures(
                    cosine!.Value, work.Source, DuplicatePictures.Transform, work.Features.Indices, pictures, cancellation: work.Stop.Token);
        var threshold = measured with { Cosine = cosine ?? measured.Cosine, Correlation = correlation ?? measured.Correlation };
        var how = measured.Images == 0
            ? "as asked for"
            : $"so much alike are nineteen of twenty copies of {Quantity.Of(measured.Images, "image")} ({DuplicateThreshold.Copies}) and their "
                + "originals";
        sentence = pictures is null
            ? string.Create(CultureInfo.InvariantCulture,
                $"Near-duplicates have a cosine of at least {threshold.Cosine:F4}, as asked for; how the images look is not compared.")
            : string.Create(CultureInfo.InvariantCulture,
            $"Near-duplicates have a cosine of at least {threshold.Cosine:F4} and small pictures with a correlation of at least "
                + $"{threshold.Correlation:F4}: {how}{(cosine is null == correlation is null ? "" : ", where nothing else was asked for")}.");
        work.Terminal.Error.WriteLine(sentence);
        return threshold;
    }

    private static string Caption(DuplicateImage image, bool isKept)
    {
        var what = isKept ? "keep" : image.IsExact ? "same pixels" : image.Cosine.ToString("F3", CultureInfo.InvariantCulture);
        return string.Create(CultureInfo.InvariantCulture, $"{what} {image.Width}x{image.Height}");
    }
}

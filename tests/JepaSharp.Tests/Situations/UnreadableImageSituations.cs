using System.Text.Json;

namespace JepaSharp.Tests.Situations;

/// <summary>Images that cannot be read are counted, named and left out, in the same words by every verb that learns from images or scores on
/// them.</summary>
[Collection(Lanes.Commands)]
public sealed class UnreadableImageSituations : SituationTests
{
    private const string OfFit = "note: 1 of 20 fit images could not be read and is left out: dog/broken.png.";
    private const string OfTest = "note: 1 of 10 test images could not be read and is left out: cat/broken.png.";
    private const string OfTraining =
        "note: 1 of 20 training images could not be read and is left out: dog/broken.png. Which and why: DIR/run/unreadable.csv";
    private const string On = " --weights whole --data fit --test test --size 16 --baselines off";

    private const string Small = "--set meta.model_name=vit_tiny --set meta.embed_dim=24 --set meta.depth=1 --set meta.num_heads=2 "
        + "--set meta.pred_depth=1 --set meta.pred_emb_dim=12 --set mask.patch_size=8 --set mask.min_keep=1 --set data.crop_size=32 "
        + "--set data.batch_size=4 --set data.num_workers=1 --precision fp32 --set optimization.warmup=1 --set optimization.epochs=2";

    private static readonly Situation[] Table =
    [
        Probe("knn", "knn on target encoder, last layer: 19 images of 2 classes"),
        Probe("linear --epochs 1 --features last"),
        Probe("logistic"),
        Probe("ridge --penalty 10"),
        Probe("low-shot --per-class 9 --draws 2 --fine-tune --fine-tune-epochs 1 --fine-tune-batch 4",
            "2 subsets of 18 images, at least 9 of every class"),
        Probe("fine-tune --epochs 2 --batch 4"),
        Probe("fine-tune --epochs 1 --batch 4 --baselines on"),
        new("a second probe, whose features are kept from the first",
            $"jepa evaluate ridge{On} --penalty 10 --cache kept >/dev/null 2>&1; jepa evaluate knn{On} --cache kept --out a.json", 0,
            "features of 20 fit images: from", OfFit, OfTest) { Build = BrokenSets.Labelled, Check = Counted },
        Column("count"),
        Column("distance"),
        new("a list of labels that names an image that is not there",
            "jepa evaluate knn --weights whole --data fit.csv --test test.csv --size 16 --no-cache --baselines off", 0,
            "note: 1 of 20 fit images could not be read and is left out: fit/dog/broken.png.",
            "note: 1 of 10 test images could not be read and is left out: test/cat/broken.png.")
        {
            Build = BrokenSets.Lists,
        },
        new("Parquet with rows without image",
            "jepa evaluate knn --weights whole --data fit.parquet --test test.parquet --size 16 --no-cache --baselines off", 0,
            "note: 2 of 8 fit images could not be read and are left out, such as fit.parquet[2].",
            "note: 1 of 6 test images could not be read and is left out: test.parquet[1].", "6 images of 2 classes")
        {
            Build = folder =>
            {
                BrokenSets.Model(folder);
                BrokenSets.Parquet(folder, "fit.parquet", 8, [2, 5], kind: 0);
                BrokenSets.Parquet(folder, "test.parquet", 6, [1], kind: 20);
            },
        },
        new("tar shards with broken members",
            "jepa evaluate knn --weights whole --data fit.tar --test test.tar --size 16 --no-cache --baselines off", 0,
            "note: 1 of 6 fit images could not be read and is left out: 0.png.",
            "note: 1 of 4 test images could not be read and is left out: 0.png.", "5 images of 2 classes")
        {
            Build = folder =>
            {
                BrokenSets.Model(folder);
                BrokenSets.Tar(folder, "fit.tar", 6, kind: 0);
                BrokenSets.Tar(folder, "test.tar", 4, kind: 20);
            },
        },
        new("a fifth held out of a folder, the rest cut down", "jepa evaluate knn --weights whole --data fit --size 16 --max-fit 12 --no-cache", 0,
            "to fit on: 12 images of DIR/fit; to score on: ", "knn on target encoder, last layer: 1") { Build = BrokenSets.Labelled },
        new("a class that has enough images only with the broken one", $"jepa evaluate low-shot{On} --per-class 10 --no-cache", 2, OfFit,
            "Class \"dog\" has 9 images; 10 of every class were asked for. Ask for at most 9.") { Build = BrokenSets.Labelled },
        new("no image that can be fitted on", $"jepa evaluate knn{On} --no-cache", 1,
            "None of the 4 images in DIR/fit can be read. Among them:", "cat/0.png: the png")
        {
            Build = folder => BrokenSets.Damaged(folder, "fit", _ => true),
        },
        new("no image that can be scored on", $"jepa evaluate fine-tune --epochs 1 --batch 2{On} --out run; ls", 0,
            "None of the 4 images in DIR/test can be read. Among them:")
        {
            Build = folder => BrokenSets.Damaged(folder, "test", _ => true),
            Never = ["run"],
        },
        new("a class whose images to fit on are all broken",
            $"for t in knn ridge low-shot\\ --per-class\\ 1 fine-tune; do jepa evaluate $t{On} --no-cache; echo \"rc $?\"; done; "
                + $"jepa evaluate fine-tune{On} --out run; ls", 0,
            "None of the images to fit on of the class dog can be read: nothing can be learned of it. Mend the images, or take it out of both sets.",
            "rc 2")
        {
            Build = folder => BrokenSets.Damaged(folder, "fit", name => name == "dog"),
            Never = ["rc 0", "rc 1", "run\n"],
        },
        new("a class whose test images are all broken",
            $"jepa evaluate knn{On} --no-cache; jepa evaluate fine-tune --epochs 1 --batch 2{On}", 0,
            "note: 2 of 4 test images could not be read and are left out, such as dog/0.png.",
            "note: None of the test images of the class dog can be read, so how well it is told apart is not measured.")
        {
            Build = folder => BrokenSets.Damaged(folder, "test", name => name == "dog"),
        },
        new("features of images", "jepa embed --weights whole --data fit --out e.npy", 0,
            "note: 1 of 20 images could not be read and is left out: dog/broken.png.", "  dog/broken.png: the png", "e.npy: 19 images, float32 [19, ")
        {
            Build = BrokenSets.Labelled,
        },
        new("a head that is fitted, and what it predicts",
            "jepa fit --weights whole --data fit --test test --size 16 --head knn --no-cache --out h && jepa predict --head h --data test "
                + "--out l.csv --sort-into sorted && wc -l <l.csv && find sorted -type f | wc -l", 0,
            "note: 1 of 20 labelled images could not be read and is left out: dog/broken.png.",
            "note: 1 of 10 test images could not be read and is left out: cat/broken.png.",
            "note: 1 of 10 images could not be read and is left out: cat/broken.png.", "l.csv: 9 images", "\n10\n9\n")
        {
            Build = BrokenSets.Labelled,
        },
        new("a pack of images", "jepa pack --data fit --out p.jepapack && jepa pack --data one --out q.jepapack", 0, "19 images as pixels",
            "note: 1 of 20 images could not be read and is left out: dog/broken.png. Which and why: p.jepapack.unreadable.csv", "1 image as pixels")
        {
            Build = folder =>
            {
                BrokenSets.Labelled(folder);
                BrokenSets.Images(folder, "one", 1, 0);
            },
        },
        new("a run that measures on test images, and its checkpoints",
            $"""
            jepa pretrain --data fit --out run {Small} --set optimization.epochs=20 --set data.test_path=test >trained 2>&1; cat trained
            jepa evaluate checkpoints run --out c.json >said 2>&1; cat said
            """, 0, OfTraining, "note: 1 of 20 images looked at could not be read and is left out: dog/broken.png.")
        {
            Build = BrokenSets.Labelled,
            Never = [" 1 images "],
            Check = (folder, _) =>
            {
                foreach (var (said, note) in new[] { ("trained", OfFit), ("trained", OfTest), ("said", OfFit), ("said", OfTest) })
                    Assert.Contains(note, File.ReadAllText(Path.Combine(folder, said)), StringComparison.Ordinal);
                using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "c.json")));
                Assert.Equal([("images looked at", 1, 20), ("fit images", 1, 20), ("test images", 1, 10)],
                    json.RootElement.GetProperty("unreadable").EnumerateArray().Select(set => (set.GetProperty("set").GetString()!,
                        set.GetProperty("unreadable").GetInt32(), set.GetProperty("images").GetInt32())));
            },
        },
        new("a run that is gone on with for a step, and its report",
            $"""
            jepa pretrain --data fit --out run {Small} --set data.test_path=test --set optimization.epochs=4 --max-steps 16 >/dev/null 2>&1
            jepa pretrain --resume --out run --max-steps 17; cat run/unreadable.csv; cp run/report.html short.html
            jepa report run
            """, 0, OfTraining, "dog/broken.png,the png", OfFit, OfTest)
        {
            Build = BrokenSets.Labelled,
            Check = (folder, _) =>
            {
                Assert.Contains("1 of 20 images looked at could not be read", Page(folder, "short.html"), StringComparison.Ordinal);
                Assert.Contains(OfTest["note: ".Length..], Page(folder, "run/report.html"), StringComparison.Ordinal);
            },
        },
    ];

    public static TheoryData<string> Names => NamesOf(Table);

    [Theory]
    [MemberData(nameof(Names))]
    public void UnreadableImage_Command_CountsItAndLeavesItOut(string name) => Run(Table.Single(s => s.Name == name));

    private static string Page(string folder, string name) => File.ReadAllText(Path.Combine(folder, name));

    private static Situation Probe(string task, params string[] says) =>
        new($"evaluate {task}", $"jepa evaluate {task}{(task.Contains("baselines on", StringComparison.Ordinal) ? On.Replace(
            " --baselines off", "", StringComparison.Ordinal) : On)} --no-cache --out a.json", 0,
            ["to fit on: 20 images of DIR/fit; to score on: 10 of DIR/test", OfFit, OfTest, .. says])
        {
            Build = BrokenSets.Labelled,
            Never = [" 1 images ", "20 images of 2 classes"],
            Check = Counted,
        };

    private static Situation Column(string task) => new($"evaluate {task}, of lists with a column of numbers",
        $"jepa evaluate {task} --column n --weights whole --data fit.csv --test test.csv --size 16 --features last --epochs 1 --baselines off "
            + "--no-cache --out a.json", 0,
        "note: 1 of 20 fit images could not be read and is left out: fit/dog/broken.png.",
        "note: 1 of 10 test images could not be read and is left out: test/cat/broken.png.")
    {
        Build = BrokenSets.Lists,
        Check = Counted,
    };

    /// <summary>The file has the counts, and each note is said once.</summary>
    private static void Counted(string folder, string said)
    {
        Assert.Equal(3, said.Split("could not be read").Length);
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "a.json")));
        foreach (var (set, images, example) in new[] { ("fit", 20, "dog/broken.png"), ("test", 10, "cat/broken.png") })
        {
            var part = json.RootElement.GetProperty(set);
            Assert.Equal((images, 1), (part.GetProperty("images").GetInt32(), part.GetProperty("unreadable").GetInt32()));
            Assert.EndsWith(example, part.GetProperty("unreadable_example").GetString(), StringComparison.Ordinal);
        }

        Assert.Equal(2, json.RootElement.GetProperty("notes").EnumerateArray().Count(n => n.GetString()!.Contains(
            "could not be read", StringComparison.Ordinal)));
    }
}

namespace JepaSharp.Cli;

/// <summary>Lines that a newcomer can type, with paths of their own, at the end of each verb's help page.</summary>
/// <remarks>A test parses every one of them, and asks for one of every verb.</remarks>
internal static class VerbExamples
{
    /// <summary>What <c>jepa</c> says first where nothing was asked of it.</summary>
    public const string FirstWords = """
        First steps:
          jepa doctor                                   what this machine has, and what will be used of it
          jepa pretrain                                 a few minutes on pictures that are built in, to see it work
          jepa pretrain --data photos --out runs/first  about half an hour on a folder of your own images, without labels
          jepa watch runs                               looks at it in a browser while it goes on
          jepa evaluate knn --weights runs/first --data labelled
                                                        what it learned, on images in a folder for each class
          jepa VERB --help                              everything about one verb, with an example

        """;

    private static readonly Dictionary<string, string[]> ByVerb = new()
    {
        ["pretrain"] =
        [
            "jepa pretrain", "jepa pretrain --data photos --out runs/photos --minutes 60", "jepa pretrain --data photos --objective lejepa --dry-run",
            "jepa pretrain --resume --out runs/photos",
        ],
        ["evaluate"] = ["jepa evaluate knn --weights runs/photos --data labelled"],
        ["evaluate knn"] = ["jepa evaluate knn --weights runs/photos --data labelled/train --test labelled/test"],
        ["evaluate linear"] = ["jepa evaluate linear --weights runs/photos --data labelled --out linear.json"],
        ["evaluate logistic"] = ["jepa evaluate logistic --weights runs/photos --data labelled"],
        ["evaluate ridge"] = ["jepa evaluate ridge --weights runs/photos --data labelled"],
        ["evaluate low-shot"] = ["jepa evaluate low-shot --weights runs/photos --data labelled --per-class 10"],
        ["evaluate fine-tune"] = ["jepa evaluate fine-tune --weights runs/photos --data labelled --out runs/tuned"],
        ["evaluate count"] = ["jepa evaluate count --weights runs/scenes --data scenes"],
        ["evaluate distance"] = ["jepa evaluate distance --weights runs/scenes --data scenes"],
        ["evaluate checkpoints"] = ["jepa evaluate checkpoints runs/photos"],
        ["evaluate agreement"] = ["jepa evaluate agreement runs"],
        ["compare"] = ["jepa compare study.yaml"],
        ["report"] = ["jepa report runs/photos"],
        ["watch"] = ["jepa watch runs", "jepa watch runs/photos --port 0"],
        ["fit"] =
        [
            "jepa fit --weights runs/photos --data labelled --out heads/kinds",
            "jepa fit --weights runs/scenes --data scenes --column count --out heads/count",
        ],
        ["predict"] =
        [
            "jepa predict --head heads/kinds --data photos --out labels.csv",
            "jepa predict --head heads/kinds --data photos --out labels.csv --sort-into sorted",
        ],
        ["similar"] =
        [
            "jepa similar --weights runs/photos --data photos --query photos/one.jpg --page similar.html",
            "jepa similar --embeddings photos.parquet --data photos --query one.jpg --page similar.html",
        ],
        ["duplicates"] = ["jepa duplicates --weights runs/photos --data photos --out duplicates.csv --page duplicates.html"],
        ["outliers"] =
        [
            "jepa outliers --weights runs/photos --data photos --page outliers.html", "jepa outliers --embeddings photos.parquet --out outliers.csv",
        ],
        ["map"] = ["jepa map --weights runs/photos --data photos --page map.html"],
        ["visualize"] = ["jepa visualize --weights runs/photos --data photos --minutes 10"],
        ["embed"] = ["jepa embed --weights runs/photos --data photos --out photos.parquet"],
        ["export"] =
        [
            "jepa export --weights runs/photos --to safetensors --out photos.safetensors",
            "jepa export --weights runs/photos --to huggingface --out photos-hf", "jepa export --weights runs/photos --to onnx --out photos.onnx",
            "jepa export --weights runs/photos --head heads/kinds --to onnx --out kinds.onnx",
        ],
        ["inspect"] = ["jepa inspect photos", "jepa inspect runs/photos"],
        ["masks"] = ["jepa masks --data photos --out masks.png"],
        ["pack"] = ["jepa pack --data photos --out photos.jepapack"],
        ["scenes"] = ["jepa scenes --out scenes --count 1000"],
        ["doctor"] = ["jepa doctor"],
        ["completion"] = ["source <(jepa completion bash)", "jepa completion fish > ~/.config/fish/completions/jepa.fish"],
    };

    /// <summary>Those of a verb; none where there are none yet.</summary>
    /// <param name="verb">"evaluate knn".</param>
    public static IReadOnlyList<string> Of(string verb) => ByVerb.GetValueOrDefault(verb) ?? [];
}

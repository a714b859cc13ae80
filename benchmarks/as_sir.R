# Answers every MIC column of a CSV with AMR's as.sir(), and prints AMR's version, the edition and the seconds it took,
# those of reading the file left out. Usage: Rscript as_sir.R FILE; first column: the organism's WHONET code, others:
# MICs in mg/L, named by the drug's WHONET code.
library(AMR)

arguments <- commandArgs(trailingOnly = TRUE)
isolates <- read.csv(arguments[1], colClasses = "character")
editions <- grep("^CLSI", unique(clinical_breakpoints$guideline), value = TRUE)
edition <- sort(editions, decreasing = TRUE)[1]

seconds <- system.time({
  organisms <- as.mo(isolates[[1]])
  for (drug in names(isolates)[-1]) {
    suppressMessages(as.sir(as.mic(isolates[[drug]]), mo = organisms, ab = drug, guideline = edition))
  }
})[["elapsed"]]
cat(as.character(packageVersion("AMR")), edition, seconds, sep = "\t")

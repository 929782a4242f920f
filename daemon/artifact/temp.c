#include "artifact/artifact.h"
#include "base/log.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
struct artifact_store { char path[4096]; };
struct artifact_staging { int fd; char path[4300]; };
int artifact_store_open(const struct artifact_config *c, struct artifact_store **ret, struct errmsg *msg){ (void)msg; struct artifact_store *s=calloc(1,sizeof *s); snprintf(s->path,sizeof s->path,"%s",c->path); mkdir(s->path,0700); *ret=s; return 0; }
struct artifact_store *artifact_store_close(struct artifact_store *s){ free(s); return NULL; }
int artifact_reserve(struct artifact_store *s, uint64_t b){(void)s;(void)b;return 0;}
void artifact_release(struct artifact_store *s, uint64_t b){(void)s;(void)b;}
int artifact_stage(struct artifact_store *s, const char *name, struct artifact_staging **ret, uint64_t *size){ struct artifact_staging *g=calloc(1,sizeof *g); snprintf(g->path,sizeof g->path,"%s/%s",s->path,name); g->fd=open(g->path,O_RDWR|O_CREAT|O_CLOEXEC,0600); *size=(uint64_t)lseek(g->fd,0,SEEK_END); *ret=g; return 0; }
int artifact_staging_fd(const struct artifact_staging *g){return g->fd;}
int artifact_staging_reset(struct artifact_staging *g){return ftruncate(g->fd,0);}
struct artifact_staging *artifact_staging_close(struct artifact_staging *g){ if(g){close(g->fd);free(g);} return NULL;}
struct artifact_staging *artifact_staging_discard(struct artifact_staging *g){ if(g){unlink(g->path);} return artifact_staging_close(g);}
int artifact_seal(struct artifact_store *s, struct artifact_staging *g, const char *role, artifact_sealed_fn *fn, void *u){ (void)role; struct artifact_sealed r={0}; char buf[65536]; ssize_t n; off_t o=0; struct digester *d=digester_new(); while((n=pread(g->fd,buf,sizeof buf,o))>0){digester_add(d,buf,(size_t)n);o+=n;} r.sha256=digester_end(d); digester_free(d); r.size_bytes=(uint64_t)o; snprintf(r.media_type,sizeof r.media_type,"video/mp4"); char t[DIGEST_TEXT_SIZE], p[4300]; digest_format(&r.sha256,t); snprintf(p,sizeof p,"%.4000s/%s",s->path,t); rename(g->path,p); artifact_staging_close(g); fn(u,&r); return 0;}
void artifact_release_claim(struct artifact_store *s, const struct digest *d){(void)s;(void)d;}
int artifact_open(struct artifact_store *s, const struct digest *d, int *fd){ char t[DIGEST_TEXT_SIZE], p[4300]; digest_format(d,t); snprintf(p,sizeof p,"%.4000s/%s",s->path,t); *fd=open(p,O_RDONLY|O_CLOEXEC); return *fd<0?ARTIFACT_E_NOT_FOUND:0;}
void artifact_collect(struct artifact_store *s, const struct digest *d, artifact_referenced_fn *f, void *u){ (void)s;(void)d;(void)f;(void)u;}

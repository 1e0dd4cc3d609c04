"""rights: written files, notices, erased messages, the mark of the author key"""

import sqlalchemy as sa
import sqlmodel  # noqa: F401
from alembic import op

import models.base  # noqa: F401

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('written_report',
    sa.Column('folder', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('run_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('written_at', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('stale_since', models.base.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['run_id'], ['run.run_id'], name=op.f('fk_written_report_run_id_run')),
    sa.PrimaryKeyConstraint('folder', name=op.f('pk_written_report'))
    )
    with op.batch_alter_table('written_report', schema=None) as batch_op:
        batch_op.create_index('ix_written_report_run_id', ['run_id'], unique=False)
    op.create_table('export_file',
    sa.Column('path', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('written_at', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('written_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('stale_since', models.base.UtcDateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('path', name=op.f('pk_export_file'))
    )
    op.create_table('export_post',
    sa.Column('path', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('message_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('content_hash', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['path'], ['export_file.path'], name=op.f('fk_export_post_path_export_file')),
    sa.PrimaryKeyConstraint('path', 'message_id', name=op.f('pk_export_post'))
    )
    with op.batch_alter_table('export_post', schema=None) as batch_op:
        batch_op.create_index('ix_export_post_message_id', ['message_id'], unique=False)
    op.create_table('post_notice',
    sa.Column('post_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('outcome', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('decided_at', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('decided_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.CheckConstraint("reason <> '' AND decided_by <> ''", name=op.f('ck_post_notice_reason_and_person_named')),
    sa.ForeignKeyConstraint(['post_id'], ['post.post_id'], name=op.f('fk_post_notice_post_id_post')),
    sa.PrimaryKeyConstraint('post_id', name=op.f('pk_post_notice'))
    )
    op.create_table('suppressed_post',
    sa.Column('message_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('suppressed_at', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('suppressed_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('message_id', name=op.f('pk_suppressed_post'))
    )
    op.create_table('key_state',
    sa.Column('state_id', sa.Integer(), nullable=False),
    sa.Column('secrets', sa.Integer(), nullable=False),
    sa.Column('mark', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('changed_at', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('changed_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.CheckConstraint('state_id = 1', name=op.f('ck_key_state_one_row')),
    sa.CheckConstraint('secrets >= 1', name=op.f('ck_key_state_some_secret')),
    sa.PrimaryKeyConstraint('state_id', name=op.f('pk_key_state'))
    )
    op.create_table('freed_space',
    sa.Column('state_id', sa.Integer(), nullable=False),
    sa.Column('since', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.CheckConstraint('state_id = 1', name=op.f('ck_freed_space_one_row')),
    sa.PrimaryKeyConstraint('state_id', name=op.f('pk_freed_space'))
    )
    # Interactions are looked for by anchor when a post goes.
    with op.batch_alter_table('interaction', schema=None) as batch_op:
        batch_op.create_index('ix_interaction_anchor_id', ['anchor_id'], unique=False)
    with op.batch_alter_table('post', schema=None) as batch_op:
        batch_op.create_index('ix_post_parent_id', ['parent_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('post', schema=None) as batch_op:
        batch_op.drop_index('ix_post_parent_id')
    with op.batch_alter_table('interaction', schema=None) as batch_op:
        batch_op.drop_index('ix_interaction_anchor_id')
    for name in ('freed_space', 'key_state', 'suppressed_post', 'post_notice', 'export_post', 'export_file', 'written_report'):
        op.drop_table(name)
